import { isAllowed } from "../accounts.ts";
import type { Bucket } from "./bucket.ts";
import type { Call } from "./call.ts";
import type { ObjectMeta, Retention } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";

/** Reads the retention of a new object from the headers, else from the bucket's default. */
export function readRetention(call: Call, bucket: Bucket): Retention | undefined {
  const mode = call.headers.get("x-amz-object-lock-mode");
  const until = call.headers.get("x-amz-object-lock-retain-until-date");
  if (mode === undefined && until === undefined) return defaultRetention(call, bucket);
  requireLockBucket(bucket);
  if (mode === undefined || until === undefined) {
    throw new S3Error(
      "InvalidArgument",
      "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
    );
  }
  return checkRetention(mode, until, call.now);
}

/** Reads the legal hold of a new object from the headers. */
export function readLegalHold(call: Call, bucket: Bucket): boolean | undefined {
  const value = call.headers.get("x-amz-object-lock-legal-hold");
  if (value === undefined) return undefined;
  requireLockBucket(bucket);
  return parseLegalHold(value);
}

/** Reads ON or OFF. */
export function parseLegalHold(value: string): boolean {
  if (value === "ON" || value === "OFF") return value === "ON";
  throw new S3Error("InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'");
}

/** Checks a mode and a date that a client sent. */
export function checkRetention(mode: string, until: string, now: Date): Retention {
  if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE")
    throw new S3Error("InvalidArgument", "Unknown wormMode directive.");
  const time = Date.parse(until);
  if (Number.isNaN(time)) {
    throw new S3Error("InvalidArgument", "The retain until date must be provided in ISO 8601 format");
  }
  if (time <= now.getTime()) throw new S3Error("InvalidArgument", "The retain until date must be in the future!");
  return { mode, until: new Date(time).toISOString() };
}

/** Refuses a lock on a bucket that was not made for it. */
export function requireLockBucket(bucket: Bucket): void {
  if (bucket.config.objectLock !== undefined) return;
  throw new S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration");
}

/** Refuses the permanent deletion of a version that is protected. */
export function checkDeletable(call: Call, meta: ObjectMeta): void {
  const isHeld = meta.legalHold === true || isRetained(meta.retention, call);
  if (isHeld) throw new S3Error("AccessDenied", "Access Denied because object protected by object lock.");
}

/** Refuses a change that would weaken a retention. */
export function checkRetentionChange(call: Call, before: Retention | undefined, after: Retention | undefined): void {
  if (!isRetained(before, call)) return;
  const isStronger =
    after !== undefined && before !== undefined && after.until >= before.until && rank(after.mode) >= rank(before.mode);
  if (!isStronger) throw new S3Error("AccessDenied", "Access Denied because object protected by object lock.");
}

/** Returns the headers that tell of retention and legal hold. */
export function lockHeaders(meta: ObjectMeta): Record<string, string> {
  return {
    ...(meta.retention === undefined
      ? {}
      : {
          "x-amz-object-lock-mode": meta.retention.mode,
          "x-amz-object-lock-retain-until-date": meta.retention.until,
        }),
    ...(meta.legalHold === undefined ? {} : { "x-amz-object-lock-legal-hold": meta.legalHold ? "ON" : "OFF" }),
  };
}

function defaultRetention(call: Call, bucket: Bucket): Retention | undefined {
  const lock = bucket.config.objectLock;
  if (lock?.defaultMode === undefined) return undefined;
  const until = new Date(call.now);
  until.setUTCDate(until.getUTCDate() + (lock.days ?? 0));
  until.setUTCFullYear(until.getUTCFullYear() + (lock.years ?? 0));
  return { mode: lock.defaultMode, until: until.toISOString() };
}

function isRetained(retention: Retention | undefined, call: Call): boolean {
  if (retention === undefined || Date.parse(retention.until) <= call.now.getTime()) return false;
  const asksBypass = call.headers.get("x-amz-bypass-governance-retention") === "true";
  const mayBypass = asksBypass && isAllowed(call.account, "s3:BypassGovernanceRetention", call.bucketName);
  return retention.mode === "COMPLIANCE" || !mayBypass;
}

function rank(mode: Retention["mode"]): number {
  return mode === "COMPLIANCE" ? 1 : 0;
}
