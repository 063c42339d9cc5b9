import type { Bucket } from "./bucket.ts";
import type { Call } from "./call.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";

/** What the conditional headers of a read come to. */
export type ReadVerdict = "proceed" | "not-modified";

/** Checks If-Match and If-None-Match of a write against what is there now. */
export function checkWriteConditions(call: Call, bucket: Bucket, key: string): void {
  const ifMatch = call.headers.get("if-match");
  const ifNoneMatch = call.headers.get("if-none-match");
  if (ifMatch === undefined && ifNoneMatch === undefined) return;
  if (ifMatch !== undefined && ifNoneMatch !== undefined) throw new S3Error("NotImplemented");
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") {
    throw new S3Error("NotImplemented", undefined, { details: { Header: "If-None-Match" } });
  }
  const latest = bucket.objects.latest(key);
  const existing = latest?.isDeleteMarker === true ? undefined : latest;
  if (ifNoneMatch !== undefined && existing !== undefined) throw failed("If-None-Match");
  if (ifMatch === undefined) return;
  if (existing === undefined) throw new S3Error("NoSuchKey", undefined, { details: { Key: key } });
  if (!matchesEtag(ifMatch, existing.etag)) throw failed("If-Match");
}

/** Checks the four conditional headers of a read, or with a prefix those of the source of a copy. */
export function checkReadConditions(call: Call, meta: ObjectMeta, prefix = ""): ReadVerdict {
  const ifMatch = call.headers.get(`${prefix}if-match`);
  const ifNoneMatch = call.headers.get(`${prefix}if-none-match`);
  const modified = Math.floor(Date.parse(meta.lastModified) / 1000) * 1000;
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, meta.etag)) throw failed("If-Match");
  } else if (modified > dateIn(call.headers.get(`${prefix}if-unmodified-since`), Infinity)) {
    throw failed("If-Unmodified-Since");
  }
  if (ifNoneMatch !== undefined) return matchesEtag(ifNoneMatch, meta.etag) ? "not-modified" : "proceed";
  const since = dateIn(call.headers.get(`${prefix}if-modified-since`), -Infinity);
  return modified <= since ? "not-modified" : "proceed";
}

/** Tells whether a header such as If-Match names an ETag. */
export function matchesEtag(header: string, etag: string): boolean {
  return header
    .split(",")
    .map((one) => one.trim().replace(/^W\//, ""))
    .some((one) => one === "*" || one === etag || one === `"${etag}"`);
}

/** Returns the error of a condition that does not hold. */
export function failed(condition: string): S3Error {
  return new S3Error("PreconditionFailed", undefined, { details: { Condition: condition } });
}

function dateIn(header: string | undefined, otherwise: number): number {
  const time = header === undefined ? Number.NaN : Date.parse(header);
  return Number.isNaN(time) ? otherwise : time;
}
