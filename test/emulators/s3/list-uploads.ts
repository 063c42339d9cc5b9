import { document, element, leaf } from "../xml.ts";
import { bucketOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { compareKeys } from "../key-order.ts";
import { commonPrefix, readListRequest } from "./list-objects.ts";
import type { UploadInfo } from "./uploads.ts";

/** ListMultipartUploads. */
export function listMultipartUploads(call: Call): Answer {
  const bucket = bucketOf(call);
  const request = readListRequest(call, "max-uploads");
  const keyMarker = call.query.get("key-marker") ?? "";
  const idMarker = call.query.get("upload-id-marker") ?? "";
  const rest = call.state.uploads
    .inBucket(bucket.config.name)
    .map((upload) => upload.info)
    .filter((info) => info.key.startsWith(request.prefix) && isAfter(info, keyMarker, idMarker))
    .sort((a, b) => compareKeys(a.key, b.key) || compareKeys(a.uploadId, b.uploadId));
  const uploads: UploadInfo[] = [];
  const prefixes = new Set<string>();
  for (const info of rest) {
    if (uploads.length >= request.maxKeys) break;
    const group = commonPrefix(info.key, request);
    if (group === undefined) uploads.push(info);
    else prefixes.add(group);
  }
  const last = uploads.at(-1);
  const isTruncated = uploads.length >= request.maxKeys && last !== rest.at(-1);
  const root = element(
    "ListMultipartUploadsResult",
    [
      leaf("Bucket", bucket.config.name),
      leaf("KeyMarker", request.encode(keyMarker)),
      leaf("UploadIdMarker", idMarker),
      ...(isTruncated
        ? [leaf("NextKeyMarker", request.encode(last?.key ?? "")), leaf("NextUploadIdMarker", last?.uploadId)]
        : []),
      leaf("Prefix", request.encode(request.prefix)),
      ...(request.delimiter === "" ? [] : [leaf("Delimiter", request.encode(request.delimiter))]),
      leaf("EncodingType", request.encodingType),
      leaf("MaxUploads", request.maxKeys),
      leaf("IsTruncated", isTruncated),
      ...uploads.map((info) => writeUpload(info, request.encode)),
      ...[...prefixes].map((prefix) => element("CommonPrefixes", [leaf("Prefix", request.encode(prefix))])),
    ],
    ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"',
  );
  return { body: document(root) };
}

function writeUpload(info: UploadInfo, encode: (key: string) => string): string {
  return element("Upload", [
    leaf("Key", encode(info.key)),
    leaf("UploadId", info.uploadId),
    element("Initiator", [leaf("ID", info.owner)]),
    element("Owner", [leaf("ID", info.owner)]),
    leaf("StorageClass", info.attributes.storageClass),
    leaf("Initiated", info.initiated),
    leaf("ChecksumAlgorithm", info.checksum?.algorithm),
    leaf("ChecksumType", info.checksum?.type),
  ]);
}

function isAfter(info: UploadInfo, keyMarker: string, idMarker: string): boolean {
  const order = compareKeys(info.key, keyMarker);
  return keyMarker === "" || order > 0 || (order === 0 && idMarker !== "" && info.uploadId > idMarker);
}
