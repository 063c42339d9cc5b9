import type { Bucket } from "./bucket.ts";
import type { Call } from "./call.ts";
import { readLegalHold, readRetention } from "./lock.ts";
import type { ObjectAttributes } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";
import { readEncryption } from "./sse.ts";
import { readTagHeader } from "./tags.ts";

const keptHeaders = [
  "cache-control",
  "content-disposition",
  "content-language",
  "expires",
  "x-amz-website-redirect-location",
];
const storageClasses = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "DEEP_ARCHIVE",
  "GLACIER_IR",
]);
const maxMetadataBytes = 2048;
const metadataPrefix = "x-amz-meta-";

/** Reads what the writer of an object chose: metadata, storage class, tags, encryption, lock. */
export function readAttributes(call: Call, bucket: Bucket): ObjectAttributes {
  return {
    ...readMetadata(call),
    storageClass: readStorageClass(call),
    tags: readTagHeader(call.headers.get("x-amz-tagging")),
    encryption: readEncryption(call, bucket),
    retention: readRetention(call, bucket),
    legalHold: readLegalHold(call, bucket),
  };
}

/** Reads the metadata that a copy may replace. */
export function readMetadata(call: Call): Pick<ObjectAttributes, "headers" | "userMetadata"> {
  const headers: Record<string, string> = {
    "content-type": call.headers.get("content-type") ?? "binary/octet-stream",
  };
  const encoding = storedEncoding(call.headers.get("content-encoding"));
  if (encoding !== undefined) headers["content-encoding"] = encoding;
  for (const name of keptHeaders) {
    const value = call.headers.get(name);
    if (value !== undefined) headers[name] = value;
  }
  return { headers, userMetadata: readUserMetadata(call) };
}

/** Returns the headers that come back with the object. */
export function attributeHeaders(attributes: ObjectAttributes): Record<string, string> {
  const user = Object.entries(attributes.userMetadata).map(([name, value]) => [metadataPrefix + name, value]);
  return {
    ...attributes.headers,
    ...Object.fromEntries(user),
    // S3 does not mention the default class.
    ...(attributes.storageClass === "STANDARD" ? {} : { "x-amz-storage-class": attributes.storageClass }),
  };
}

/** Reads the storage class; absent means STANDARD. */
export function readStorageClass(call: Call): string {
  const name = call.headers.get("x-amz-storage-class") ?? "STANDARD";
  if (storageClasses.has(name)) return name;
  throw new S3Error("InvalidStorageClass", undefined, { details: { StorageClassRequested: name } });
}

function readUserMetadata(call: Call): Record<string, string> {
  const metadata: Record<string, string> = {};
  let size = 0;
  for (const [name, value] of call.headers) {
    if (!name.startsWith(metadataPrefix)) continue;
    const short = name.slice(metadataPrefix.length);
    metadata[short] = value;
    size += Buffer.byteLength(short) + Buffer.byteLength(value);
  }
  if (size <= maxMetadataBytes) return metadata;
  throw new S3Error("MetadataTooLarge", undefined, {
    details: { Size: String(size), MaxSizeAllowed: String(maxMetadataBytes) },
  });
}

// aws-chunked is how the request was sent, not what the object is.
function storedEncoding(header: string | undefined): string | undefined {
  const rest = (header ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "aws-chunked");
  return rest.length === 0 ? undefined : rest.join(",");
}
