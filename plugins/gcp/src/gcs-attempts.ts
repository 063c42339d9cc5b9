import type { Attempt } from "./errors.ts";

/** An attempt on one object, for example `put object "a" in bucket "b"`. */
export function objectAttempt(verb: string, bucket: string, key: string, permission: string): Attempt {
  return { action: `${verb} object "${key}" in bucket "${bucket}"`, permission };
}

/** The same for a request that an absent object makes fail. */
export function readAttempt(verb: string, bucket: string, key: string, permission: string): Attempt {
  return {
    ...objectAttempt(verb, bucket, key, permission),
    subject: `object "${key}" in bucket "${bucket}"`,
    deniedAdvice:
      "without storage.objects.list, Cloud Storage refuses requests for absent objects as if they were forbidden",
  };
}
