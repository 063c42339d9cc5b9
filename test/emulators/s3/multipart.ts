import { accountIdOf } from "../accounts.ts";
import { document, element, leaf } from "../xml.ts";
import { readAttributes } from "./attributes.ts";
import { receiveBody } from "./body.ts";
import { bucketOf, checksumHeaders, keyOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checksumHeader, chooseType, parseAlgorithm } from "./checksums.ts";
import type { Algorithm } from "./checksums.ts";
import { claimedAlgorithm } from "./body.ts";
import { FileSink, fillSink } from "../file-sink.ts";
import { opaqueEtag } from "./new-version.ts";
import { S3Error } from "./s3-error.ts";
import { checkCustomerKey, encryptionHeaders, hasMd5Etag } from "./sse.ts";
import type { Upload, UploadedPart } from "./uploads.ts";

const xmlns = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const maxParts = 10_000;

/** The algorithm of uploads whose creator named none. */
export const defaultAlgorithm: Algorithm = "CRC64NVME";

/** CreateMultipartUpload. */
export function createMultipartUpload(call: Call): Answer {
  const bucket = bucketOf(call);
  const key = keyOf(call);
  const attributes = readAttributes(call, bucket);
  const name = call.headers.get("x-amz-checksum-algorithm");
  const wantedType = call.headers.get("x-amz-checksum-type");
  if (name === undefined && wantedType !== undefined) {
    throw new S3Error(
      "InvalidRequest",
      "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
    );
  }
  const algorithm = name === undefined ? undefined : parseAlgorithm(name);
  const checksum = algorithm === undefined ? undefined : { algorithm, type: chooseType(algorithm, wantedType) };
  const { info } = call.state.uploads.create({
    bucket: bucket.config.name,
    key,
    initiated: call.now.toISOString(),
    owner: accountIdOf(call.account),
    attributes,
    checksum,
  });
  const names = [leaf("Bucket", info.bucket), leaf("Key", key), leaf("UploadId", info.uploadId)];
  return {
    body: document(element("InitiateMultipartUploadResult", names, xmlns)),
    headers: {
      ...encryptionHeaders(attributes.encryption),
      ...(checksum === undefined
        ? {}
        : { "x-amz-checksum-algorithm": checksum.algorithm, "x-amz-checksum-type": checksum.type }),
    },
  };
}

/** UploadPart. */
export async function uploadPart(call: Call): Promise<Answer> {
  const upload = findUpload(call);
  const partNumber = readPartNumber(call);
  const { encryption } = upload.info.attributes;
  checkCustomerKey(call, encryption);
  checkPartAlgorithm(upload, claimedAlgorithm(call));
  const part = await storePart(call, upload, partNumber, declaredSize(call), (sink) =>
    receiveBody(call, sink, {
      defaultAlgorithm: upload.info.checksum?.algorithm ?? defaultAlgorithm,
      needsMd5: hasMd5Etag(encryption),
    }),
  );
  const algorithm = claimedAlgorithm(call);
  return {
    headers: {
      etag: `"${part.etag}"`,
      ...encryptionHeaders(encryption),
      ...(algorithm === undefined ? {} : { [checksumHeader(algorithm)]: part.checksum }),
    },
  };
}

/** Writes the bytes of a part and makes it count once they are all there. */
export async function storePart(
  call: Call,
  upload: Upload,
  partNumber: number,
  size: number,
  fill: (sink: FileSink) => Promise<{ size: number; md5: string | undefined; checksum: { value: string } }>,
): Promise<UploadedPart> {
  const place = upload.reserve(partNumber, size);
  try {
    const body = await fillSink(await FileSink.open(place.path, place.offset), fill);
    if (!call.state.uploads.isAlive(upload)) throw new S3Error("NoSuchUpload");
    const part: UploadedPart = {
      partNumber,
      size: body.size,
      etag: hasMd5Etag(upload.info.attributes.encryption) && body.md5 !== undefined ? body.md5 : opaqueEtag(),
      checksum: body.checksum.value,
      lastModified: new Date().toISOString(),
      file: place.file,
      offset: place.offset,
    };
    upload.keep(part);
    return part;
  } catch (cause) {
    upload.giveUp(partNumber, place);
    // Abortion removes the folder under a part that is still arriving.
    if (!call.state.uploads.isAlive(upload))
      throw new S3Error("NoSuchUpload", undefined, { details: { Cause: String(cause) } });
    throw cause;
  }
}

/** AbortMultipartUpload. */
export async function abortMultipartUpload(call: Call): Promise<Answer> {
  await call.state.uploads.remove(findUpload(call));
  return { status: 204 };
}

/** ListParts. */
export function listParts(call: Call): Answer {
  const { info, parts } = findUpload(call);
  const marker = Number(call.query.get("part-number-marker") ?? 0);
  const most = Math.min(Number(call.query.get("max-parts") ?? 1000), 1000);
  if (Number.isNaN(marker) || Number.isNaN(most)) throw new S3Error("InvalidArgument");
  const rest = [...parts.values()]
    .filter((part) => part.partNumber > marker)
    .sort((a, b) => a.partNumber - b.partNumber);
  const page = rest.slice(0, most);
  const root = element(
    "ListPartsResult",
    [
      leaf("Bucket", info.bucket),
      leaf("Key", info.key),
      leaf("UploadId", info.uploadId),
      element("Initiator", [leaf("ID", info.owner)]),
      element("Owner", [leaf("ID", info.owner)]),
      leaf("StorageClass", info.attributes.storageClass),
      leaf("PartNumberMarker", marker),
      leaf("NextPartNumberMarker", page.at(-1)?.partNumber ?? 0),
      leaf("MaxParts", most),
      leaf("IsTruncated", page.length < rest.length),
      leaf("ChecksumAlgorithm", info.checksum?.algorithm),
      leaf("ChecksumType", info.checksum?.type),
      ...page.map((part) =>
        element("Part", [
          leaf("PartNumber", part.partNumber),
          leaf("LastModified", part.lastModified),
          leaf("ETag", `"${part.etag}"`),
          leaf("Size", part.size),
          ...(info.checksum === undefined ? [] : [leaf(`Checksum${info.checksum.algorithm}`, part.checksum)]),
        ]),
      ),
    ],
    xmlns,
  );
  return { body: document(root), headers: checksumHeaders(undefined) };
}

/** Returns the upload that a request addresses. */
export function findUpload(call: Call): Upload {
  const bucket = bucketOf(call);
  return call.state.uploads.find(call.query.get("uploadId") ?? "", bucket.config.name, keyOf(call));
}

/** Reads the number of the part. */
export function readPartNumber(call: Call): number {
  const text = call.query.get("partNumber") ?? "";
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= maxParts) return number;
  throw new S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", {
    details: { ArgumentName: "partNumber", ArgumentValue: text },
  });
}

function declaredSize(call: Call): number {
  return Number(call.headers.get("x-amz-decoded-content-length") ?? call.headers.get("content-length") ?? 0);
}

// Composite checksums are made of those that the client vouched for; a full one S3 can compute by itself.
function checkPartAlgorithm(upload: Upload, actual: Algorithm | undefined): void {
  const expected = upload.info.checksum;
  if (actual === expected?.algorithm || (actual === undefined && expected?.type === "FULL_OBJECT")) return;
  throw new S3Error(
    "InvalidRequest",
    `Checksum Type mismatch occurred, expected checksum Type: ${lower(expected?.algorithm)}, actual checksum Type: ${lower(actual)}`,
  );
}

function lower(algorithm: Algorithm | undefined): string {
  return algorithm?.toLowerCase() ?? "null";
}
