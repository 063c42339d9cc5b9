import type { Attempt } from "./errors.ts";

/** An attempt on one object, for example `put object "a" in bucket "b"`. */
export function objectAttempt(verb: string, bucket: string, key: string, permission: string): Attempt {
  return { action: `${verb} object "${key}" in bucket "${bucket}"`, permission };
}

/** The same for a request that makes an object, with a key of Cloud KMS or without. */
export function writeAttempt(verb: string, bucket: string, key: string, kmsKeyName: string | undefined): Attempt {
  const attempt = objectAttempt(verb, bucket, key, "storage.objects.create and storage.objects.delete");
  if (kmsKeyName === undefined) return attempt;
  return {
    ...attempt,
    deniedAdvice: `let the Cloud Storage service agent of the project use the key kmsKeyName, by the role "Cloud KMS CryptoKey Encrypter/Decrypter"`,
  };
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
