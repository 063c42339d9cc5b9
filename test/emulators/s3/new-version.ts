import { randomBytes } from "node:crypto";

import { accountIdOf } from "../accounts.ts";
import type { Bucket } from "./bucket.ts";
import { claimedAlgorithm } from "./body.ts";
import type { Call } from "./call.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";

/** Completes what is known of a new object with version, time and owner. */
export function newVersion(
  call: Call,
  bucket: Bucket,
  content: Omit<ObjectMeta, "versionId" | "sequence" | "lastModified" | "owner">,
): ObjectMeta {
  return {
    ...content,
    checksum: call.state.settings.keepsChecksums ? content.checksum : undefined,
    versionId: bucket.config.versioning === "Enabled" ? randomBytes(24).toString("base64url") : "null",
    sequence: call.state.nextSequence(),
    lastModified: new Date().toISOString(),
    owner: accountIdOf(call.account),
  };
}

/** Returns the header that names a version, where the bucket has versions. */
export function versionHeader(bucket: Bucket, meta: ObjectMeta): Record<string, string> {
  return bucket.config.versioning === undefined ? {} : { "x-amz-version-id": meta.versionId };
}

/** Refuses a locked object whose bytes nothing vouches for, as S3 does. */
export function requireDigestForLock(call: Call, attributes: Pick<ObjectMeta, "retention" | "legalHold">): void {
  if (attributes.retention === undefined && attributes.legalHold === undefined) return;
  if (call.headers.has("content-md5") || claimedAlgorithm(call) !== undefined) return;
  throw new S3Error(
    "InvalidRequest",
    "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
  );
}

/** Returns an ETag for content whose MD5 is not its ETag: S3's is opaque where the keys are not its own. */
export function opaqueEtag(): string {
  return randomBytes(16).toString("hex");
}
