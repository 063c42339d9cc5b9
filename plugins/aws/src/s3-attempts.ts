import type { Attempt } from "./errors.ts";

/** An attempt on one object, for example `read object "a" in bucket "b"`. */
export function objectAttempt(verb: string, permission: string, bucket: string, key: string): Attempt {
  return { action: `${verb} object "${key}" in bucket "${bucket}"`, permission };
}

/** The same for a request that an absent object makes fail. */
export function readAttempt(verb: string, bucket: string, key: string): Attempt {
  return {
    ...objectAttempt(verb, "s3:GetObject", bucket, key),
    subject: `object "${key}" in bucket "${bucket}"`,
    deniedAdvice: "grant s3:ListBucket as well, since without it S3 denies reads of absent objects too",
  };
}
