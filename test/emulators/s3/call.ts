import type { IncomingMessage } from "node:http";

import type { Account } from "../accounts.ts";
import type { Fault } from "../faults.ts";
import type { OpenSlice } from "../file-slice.ts";
import type { Checksum } from "./checksums.ts";
import type { Claim } from "../sigv4.ts";
import { S3Error } from "./s3-error.ts";
import type { S3State } from "./state.ts";
import type { Bucket } from "./bucket.ts";

/** One authenticated request. */
export interface Call {
  readonly operation: string;
  readonly method: string;
  readonly bucketName: string | undefined;
  readonly objectKey: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
  readonly account: Account;
  readonly claim: Claim;
  readonly signingKey: Buffer;
  readonly state: S3State;
  readonly now: Date;
  readonly isSecure: boolean;
  readonly met: readonly Fault[];
  readonly request: IncomingMessage;
  /** The body as it comes over the wire. */
  readonly openRawBody: () => AsyncIterable<Buffer>;
}

/** What an operation answers. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | number | undefined>>;
  /** An XML or JSON document. */
  readonly body?: string;
  readonly file?: OpenSlice;
}

/** An operation. */
export type Handler = (call: Call) => Promise<Answer> | Answer;

/** Returns the bucket that the request addresses. */
export function bucketOf(call: Call): Bucket {
  if (call.bucketName === undefined) throw new S3Error("InvalidBucketName");
  return call.state.bucket(call.bucketName);
}

/** Refuses a bucket that another account owns than the one that the client expects. */
export function requireOwner(bucket: Bucket, expected: string | undefined): void {
  if (expected === undefined) return;
  if (!/^\d{12}$/.test(expected)) {
    throw new S3Error("InvalidArgument", "The value of the expected bucket owner parameter must be an AWS Account ID");
  }
  if (bucket.config.owner !== expected) throw new S3Error("AccessDenied");
}

/** Returns the key that the request addresses. */
export function keyOf(call: Call): string {
  if (call.objectKey === undefined) throw new S3Error("MethodNotAllowed");
  return call.objectKey;
}

/** Returns the headers in which a checksum is returned. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return {
    [`x-amz-checksum-${checksum.algorithm.toLowerCase()}`]: checksum.value,
    "x-amz-checksum-type": checksum.type,
  };
}
