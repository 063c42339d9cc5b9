import { openSlice } from "../file-slice.ts";
import { attributeHeaders } from "./attributes.ts";
import { partRange, readRange } from "./byte-range.ts";
import type { ByteRange } from "./byte-range.ts";
import { checksumHeaders } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import type { Checksum } from "./checksums.ts";
import { checkReadConditions } from "./conditions.ts";
import { findObject } from "./find-object.ts";
import { lockHeaders } from "./lock.ts";
import { versionHeader } from "./new-version.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";
import { checkCustomerKey, encryptionHeaders } from "./sse.ts";

/** GetObject and HeadObject. */
export function getObject(call: Call): Answer {
  const { bucket, meta } = findObject(call);
  checkCustomerKey(call, meta.encryption);
  const version = versionHeader(bucket, meta);
  const etag = `"${meta.etag}"`;
  const lastModified = new Date(meta.lastModified).toUTCString();
  if (checkReadConditions(call, meta) === "not-modified") {
    return { status: 304, headers: { etag, "last-modified": lastModified, ...version } };
  }
  const range = chooseRange(call, meta);
  const { start, length } = range ?? { start: 0, length: meta.size };
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...attributeHeaders(meta),
      ...responseOverrides(call),
      ...encryptionHeaders(meta.encryption),
      ...lockHeaders(meta),
      ...version,
      ...partCount(call, meta),
      ...tagCount(meta),
      ...checksumHeaders(returnedChecksum(call, meta)),
      ...(range === undefined ? {} : { "content-range": contentRange(range, meta.size) }),
      "accept-ranges": "bytes",
      "content-length": length,
      "last-modified": lastModified,
      etag,
    },
    // Opened at once: a put that comes before the answer is sent must not change what it sends.
    ...(call.method === "HEAD" ? {} : { file: openSlice({ path: bucket.objects.dataPath(meta), start, length }) }),
  };
}

function chooseRange(call: Call, meta: ObjectMeta): ByteRange | undefined {
  const partNumber = call.query.get("partNumber");
  const header = call.headers.get("range");
  if (partNumber === undefined) return readRange(header, meta.size);
  if (header !== undefined) {
    throw new S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter");
  }
  return partRange(meta, partNumber);
}

function contentRange({ start, length }: ByteRange, size: number): string | undefined {
  return length === 0 ? undefined : `bytes ${start}-${start + length - 1}/${size}`;
}

// A range has no recorded checksum; a part has its own.
function returnedChecksum(call: Call, meta: ObjectMeta): Checksum | undefined {
  const { checksum } = meta;
  if (call.headers.get("x-amz-checksum-mode")?.toUpperCase() !== "ENABLED" || checksum === undefined) return undefined;
  if (call.headers.has("range")) return undefined;
  const partNumber = call.query.get("partNumber");
  if (partNumber === undefined || meta.parts === undefined) return checksum;
  const value = meta.parts.find((part) => String(part.partNumber) === partNumber)?.checksum;
  return value === undefined ? undefined : { ...checksum, value };
}

function partCount(call: Call, meta: ObjectMeta): Record<string, string> {
  if (!call.query.has("partNumber") || meta.parts === undefined) return {};
  return { "x-amz-mp-parts-count": String(meta.parts.length) };
}

function tagCount(meta: ObjectMeta): Record<string, string> {
  const count = Object.keys(meta.tags).length;
  return count === 0 ? {} : { "x-amz-tagging-count": String(count) };
}

function responseOverrides(call: Call): Record<string, string> {
  const names = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = call.query.get(`response-${name}`);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
