import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";

import { isAllowed } from "../accounts.ts";
import { document, element, leaf } from "../xml.ts";
import { readMetadata, readStorageClass } from "./attributes.ts";
import { maxPutBytes } from "./body.ts";
import type { Bucket } from "./bucket.ts";
import { bucketOf, keyOf, requireOwner } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checksumElement, createDigest, parseAlgorithm } from "./checksums.ts";
import type { Algorithm } from "./checksums.ts";
import { checkReadConditions, checkWriteConditions, failed } from "./conditions.ts";
import { flipByte } from "../fault-body.ts";
import { findFault } from "../faults.ts";
import { FileSink, fillSink } from "../file-sink.ts";
import { findVersion } from "./find-object.ts";
import { readLegalHold, readRetention } from "./lock.ts";
import { defaultAlgorithm, findUpload, readPartNumber, storePart } from "./multipart.ts";
import { newVersion, opaqueEtag, versionHeader } from "./new-version.ts";
import type { ObjectAttributes, ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";
import { checkCustomerKey, copySourcePrefix, encryptionHeaders, hasMd5Etag, readEncryption } from "./sse.ts";
import { readTagHeader } from "./tags.ts";

const minRangedSourceBytes = 5 * 1024 ** 2;

/** CopyObject. */
export async function copyObject(call: Call): Promise<Answer> {
  const bucket = bucketOf(call);
  const key = keyOf(call);
  const source = findSource(call);
  if (source.meta.size > maxPutBytes) {
    throw new S3Error(
      "InvalidRequest",
      `The specified copy source is larger than the maximum allowable size for a copy source: ${maxPutBytes}`,
    );
  }
  refuseNoChange(call, source, bucket, key);
  const attributes = copiedAttributes(call, bucket, source.meta);
  checkWriteConditions(call, bucket, key);
  const wanted = call.headers.get("x-amz-checksum-algorithm");
  const algorithm =
    wanted === undefined ? (source.meta.checksum?.algorithm ?? defaultAlgorithm) : parseAlgorithm(wanted);
  return await call.state.withStaging(async (folder) => {
    const copied = await copyBytes(call, source, join(folder, "data"), algorithm);
    checkWriteConditions(call, bucket, key);
    const meta = newVersion(call, bucket, {
      ...attributes,
      key,
      size: copied.size,
      etag: hasMd5Etag(attributes.encryption) ? copied.md5 : opaqueEtag(),
      checksum: {
        algorithm,
        type: "FULL_OBJECT",
        value: keptChecksum(call, source.meta, algorithm) ?? copied.checksum.value,
      },
    });
    bucket.objects.publish(meta, folder);
    return {
      body: writeResult("CopyObjectResult", meta.etag, meta.lastModified, algorithm, meta.checksum?.value),
      headers: {
        ...encryptionHeaders(meta.encryption),
        ...versionHeader(bucket, meta),
        ...sourceVersion(source),
      },
    };
  });
}

/** UploadPartCopy. */
export async function uploadPartCopy(call: Call): Promise<Answer> {
  const upload = findUpload(call);
  const partNumber = readPartNumber(call);
  const source = findSource(call);
  const { encryption } = upload.info.attributes;
  checkCustomerKey(call, encryption);
  const { start, length } = readSourceRange(call, source.meta);
  const algorithm = upload.info.checksum?.algorithm ?? defaultAlgorithm;
  const part = await storePart(call, upload, partNumber, length, (sink) =>
    copyInto(call, sink, source, { start, length }, algorithm),
  );
  const returned = upload.info.checksum === undefined ? undefined : part.checksum;
  return {
    body: writeResult("CopyPartResult", part.etag, part.lastModified, algorithm, returned),
    headers: { ...encryptionHeaders(encryption), ...sourceVersion(source) },
  };
}

interface Source {
  readonly bucket: Bucket;
  readonly meta: ObjectMeta;
}

function findSource(call: Call): Source {
  const header = call.headers.get("x-amz-copy-source") ?? "";
  const [path = "", query] = header.split("?versionId=");
  const decoded = decode(path).replace(/^\//, "");
  const at = decoded.indexOf("/");
  if (at < 1 || at === decoded.length - 1) {
    throw new S3Error("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey", {
      details: { ArgumentName: "x-amz-copy-source", ArgumentValue: header },
    });
  }
  const bucket = call.state.bucket(decoded.slice(0, at));
  call.state.requireReachable(bucket.config.region);
  requireOwner(bucket, call.headers.get("x-amz-source-expected-bucket-owner"));
  const action = query === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
  if (!isAllowed(call.account, action, bucket.config.name)) throw new S3Error("AccessDenied");
  const meta = findVersion(call, bucket, decoded.slice(at + 1), query);
  checkCustomerKey(call, meta.encryption, copySourcePrefix);
  // Where a read would answer "not modified", a copy has failed.
  if (checkReadConditions(call, meta, "x-amz-copy-source-") === "not-modified") {
    throw failed("x-amz-copy-source-If-None-Match");
  }
  return { bucket, meta };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error("InvalidArgument", "The x-amz-copy-source header must be URL-encoded");
  }
}

function refuseNoChange(call: Call, source: Source, bucket: Bucket, key: string): void {
  if (source.bucket !== bucket || source.meta.key !== key || bucket.objects.latest(key) !== source.meta) return;
  const changes = [
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-checksum-algorithm",
  ];
  if (directive(call, "metadata") === "REPLACE" || changes.some((name) => call.headers.has(name))) return;
  throw new S3Error(
    "InvalidRequest",
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

function copiedAttributes(call: Call, bucket: Bucket, source: ObjectMeta): ObjectAttributes {
  const { headers, userMetadata } = directive(call, "metadata") === "REPLACE" ? readMetadata(call) : source;
  const tags =
    directive(call, "tagging") === "REPLACE" ? readTagHeader(call.headers.get("x-amz-tagging")) : source.tags;
  return {
    headers,
    userMetadata,
    tags,
    storageClass: readStorageClass(call),
    encryption: readEncryption(call, bucket),
    retention: readRetention(call, bucket),
    legalHold: readLegalHold(call, bucket),
  };
}

function directive(call: Call, what: "metadata" | "tagging"): "COPY" | "REPLACE" {
  const value = call.headers.get(`x-amz-${what}-directive`) ?? "COPY";
  if (value === "COPY" || value === "REPLACE") return value;
  throw new S3Error("InvalidArgument", `Unknown ${what} directive.`);
}

// What was recorded of the source goes with the copy, so that rot below the store stays detectable through it.
function keptChecksum(call: Call, { checksum }: ObjectMeta, algorithm: Algorithm): string | undefined {
  if (findFault(call.met, "corrupt-copy") !== undefined) return undefined;
  return checksum?.type === "FULL_OBJECT" && checksum.algorithm === algorithm ? checksum.value : undefined;
}

function readSourceRange(call: Call, source: ObjectMeta): { start: number; length: number } {
  const header = call.headers.get("x-amz-copy-source-range");
  if (header === undefined) return { start: 0, length: source.size };
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  if (match === null) {
    throw new S3Error(
      "InvalidArgument",
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
    );
  }
  const [start, end] = [Number(match[1]), Number(match[2])];
  if (start > end || end >= source.size) {
    throw new S3Error("InvalidArgument", `Range specified is not valid for source object of size: ${source.size}`);
  }
  if (source.size <= minRangedSourceBytes) {
    throw new S3Error("InvalidRequest", "The specified copy range is invalid for the source object size.");
  }
  return { start, length: end - start + 1 };
}

interface Copied {
  readonly size: number;
  readonly md5: string;
  readonly checksum: { readonly value: string };
}

async function copyBytes(call: Call, source: Source, destination: string, algorithm: Algorithm): Promise<Copied> {
  const sink = await FileSink.open(destination, 0);
  const whole = { start: 0, length: source.meta.size };
  return await fillSink(sink, (sink) => copyInto(call, sink, source, whole, algorithm));
}

async function copyInto(
  call: Call,
  sink: FileSink,
  source: Source,
  { start, length }: { readonly start: number; readonly length: number },
  algorithm: Algorithm,
): Promise<Copied> {
  const corrupt = findFault(call.met, "corrupt-copy");
  const md5 = createHash("md5");
  const digest = createDigest(algorithm);
  let size = 0;
  if (length > 0) {
    const range = { start, end: start + length - 1, highWaterMark: 1024 * 1024 };
    for await (const data of createReadStream(source.bucket.objects.dataPath(source.meta), range)) {
      // A stream without an encoding yields Buffers; node types them as any.
      const read = data as Buffer;
      const chunk = corrupt === undefined ? read : flipByte(read, corrupt.atByte - size);
      md5.update(chunk);
      digest.update(chunk);
      size += chunk.length;
      await sink.write(chunk);
    }
  }
  if (size !== length) throw new S3Error("InternalError");
  return { size, md5: md5.digest("hex"), checksum: { value: digest.digest().toString("base64") } };
}

function writeResult(
  name: string,
  etag: string,
  lastModified: string,
  algorithm: Algorithm,
  checksum: string | undefined,
): string {
  const children = [
    leaf("LastModified", lastModified),
    leaf("ETag", `"${etag}"`),
    leaf(checksumElement(algorithm), checksum),
    leaf("ChecksumType", checksum === undefined || name === "CopyPartResult" ? undefined : "FULL_OBJECT"),
  ];
  return document(element(name, children, ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'));
}

function sourceVersion({ bucket, meta }: Source): Record<string, string> {
  return bucket.config.versioning === undefined ? {} : { "x-amz-copy-source-version-id": meta.versionId };
}
