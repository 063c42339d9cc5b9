import type { Attempt } from "./errors.ts";

/** The role that has every permission on blobs. */
export const contributorRole = 'the role "Storage Blob Data Contributor"';

/** An attempt on one object, for example `put object "a" in bucket "b"`. */
export function objectAttempt(verb: string, bucket: string, key: string): Attempt {
  return { action: `${verb} object "${key}" in bucket "${bucket}"`, permission: contributorRole };
}

/** The same for a request that an absent object makes fail. */
export function readAttempt(verb: string, bucket: string, key: string): Attempt {
  return { ...objectAttempt(verb, bucket, key), subject: `object "${key}" in bucket "${bucket}"` };
}
