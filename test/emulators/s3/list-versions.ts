import { document, element, leaf } from "../xml.ts";
import { bucketOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { compareKeys, firstNotBefore } from "../key-order.ts";
import { commonPrefix, describeChecksum, readListRequest } from "./list-objects.ts";
import type { ListRequest } from "./list-objects.ts";
import type { Bucket } from "./bucket.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";

type Entry = { readonly key: string; readonly meta?: ObjectMeta; readonly isLatest?: boolean };

/** ListObjectVersions. */
export function listObjectVersions(call: Call): Answer {
  const bucket = bucketOf(call);
  const request = readListRequest(call);
  const keyMarker = call.query.get("key-marker") ?? "";
  const versionMarker = call.query.get("version-id-marker");
  if (versionMarker !== undefined && keyMarker === "") {
    throw new S3Error("InvalidArgument", "A version-id marker cannot be specified without a key marker.");
  }
  const page: Entry[] = [];
  let isTruncated = false;
  for (const entry of entriesAfter(bucket, request, keyMarker, versionMarker)) {
    isTruncated = page.length >= request.maxKeys;
    if (isTruncated) break;
    page.push(entry);
  }
  const last = isTruncated ? page.at(-1) : undefined;
  const root = element(
    "ListVersionsResult",
    [
      leaf("Name", bucket.config.name),
      leaf("Prefix", request.encode(request.prefix)),
      leaf("KeyMarker", request.encode(keyMarker)),
      leaf("VersionIdMarker", versionMarker ?? ""),
      ...(last === undefined
        ? []
        : [leaf("NextKeyMarker", request.encode(last.key)), leaf("NextVersionIdMarker", last.meta?.versionId)]),
      leaf("MaxKeys", request.maxKeys),
      ...(request.delimiter === "" ? [] : [leaf("Delimiter", request.encode(request.delimiter))]),
      leaf("EncodingType", request.encodingType),
      leaf("IsTruncated", last !== undefined),
      ...page.map((entry) => writeEntry(entry, request)),
    ],
    ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"',
  );
  return { body: document(root) };
}

function* entriesAfter(
  bucket: Bucket,
  request: ListRequest,
  keyMarker: string,
  versionMarker: string | undefined,
): Generator<Entry> {
  const keys = bucket.objects.keys();
  const first = firstNotBefore(keys, compareKeys(keyMarker, request.prefix) > 0 ? keyMarker : request.prefix);
  let group = request.delimiter !== "" && keyMarker.endsWith(request.delimiter) ? keyMarker : undefined;
  for (const key of keys.slice(first)) {
    if (!key.startsWith(request.prefix)) return;
    if (key === keyMarker && versionMarker === undefined) continue;
    const common = commonPrefix(key, request);
    if (common !== undefined) {
      if (common !== group) yield { key: common };
      group = common;
      continue;
    }
    const versions = bucket.objects.versions(key);
    const skip = key === keyMarker ? versions.findIndex((meta) => meta.versionId === versionMarker) + 1 : 0;
    for (const meta of versions.slice(skip)) yield { key, meta, isLatest: meta === versions[0] };
  }
}

function writeEntry({ key, meta, isLatest }: Entry, request: ListRequest): string {
  if (meta === undefined) return element("CommonPrefixes", [leaf("Prefix", request.encode(key))]);
  const common = [
    leaf("Key", request.encode(key)),
    leaf("VersionId", meta.versionId),
    leaf("IsLatest", isLatest === true),
    leaf("LastModified", meta.lastModified),
  ];
  const owner = element("Owner", [leaf("ID", meta.owner)]);
  if (meta.isDeleteMarker === true) return element("DeleteMarker", [...common, owner]);
  return element("Version", [
    ...common,
    leaf("ETag", `"${meta.etag}"`),
    ...describeChecksum(meta),
    leaf("Size", meta.size),
    leaf("StorageClass", meta.storageClass),
    owner,
  ]);
}
