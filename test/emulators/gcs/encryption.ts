import { createHash } from "node:crypto";

import type { Bucket } from "./bucket.ts";
import type { Call } from "./call.ts";
import { GcsError, invalid } from "./gcs-error.ts";
import type { ObjectEncryption, ObjectMeta } from "./object-meta.ts";

const help = {
  customerEncryptionAlgorithmIsInvalid: 'Missing an encryption algorithm, or the algorithm is not "AES256."',
  customerEncryptionKeyFormatIsInvalid:
    "Missing an encryption key, or it is not base64 encoded, or it does not meet the required length of the encryption algorithm.",
  customerEncryptionKeySha256IsInvalid:
    "Missing a SHA256 hash of the encryption key, or it is not base64 encoded, or it does not match the encryption key.",
  customerEncryptionKeyIsIncorrect: "The provided encryption key is incorrect.",
  resourceIsEncryptedWithCustomerEncryptionKey: "The target object is encrypted by a customer-supplied encryption key.",
  resourceNotEncryptedWithCustomerEncryptionKey:
    "The target object is not encrypted by a customer-supplied encryption key.",
} as const;

const kmsForm = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/;

/** Reads the headers of a key that the customer supplies and returns the key's SHA-256; undefined where there are none. */
export function readCustomerKey(
  headers: ReadonlyMap<string, string>,
  kind: "encryption" | "copy-source-encryption" = "encryption",
): string | undefined {
  const header = (name: string): string | undefined => headers.get(`x-goog-${kind}-${name}`);
  const [algorithm, key, sha256] = [header("algorithm"), header("key"), header("key-sha256")];
  if (algorithm === undefined && key === undefined && sha256 === undefined) return undefined;
  if (algorithm !== "AES256") throw refuse("customerEncryptionAlgorithmIsInvalid");
  const bytes = Buffer.from(key ?? "", "base64");
  if (bytes.length !== 32) throw refuse("customerEncryptionKeyFormatIsInvalid");
  const actual = createHash("sha256").update(bytes).digest("base64");
  if (sha256 !== actual) throw refuse("customerEncryptionKeySha256IsInvalid");
  return actual;
}

/** Refuses to hand out content without the key that it was written with. */
export function checkCustomerKey(meta: ObjectMeta, given: string | undefined): void {
  if (given === meta.keySha256) return;
  if (given === undefined) throw refuse("resourceIsEncryptedWithCustomerEncryptionKey");
  if (meta.keySha256 === undefined) throw refuse("resourceNotEncryptedWithCustomerEncryptionKey");
  throw refuse("customerEncryptionKeyIsIncorrect");
}

/** Decides how a new object is encrypted: by the customer's key, by the key that is named, or by the bucket's. */
export function readEncryption(call: Call, bucket: Bucket, named: string | undefined): ObjectEncryption {
  const keySha256 = readCustomerKey(call.headers);
  if (keySha256 !== undefined && named !== undefined) {
    throw invalid("A customer-supplied encryption key and a Cloud KMS key cannot both be given.");
  }
  if (keySha256 !== undefined) return { keySha256 };
  const kmsKeyName = named ?? bucket.config.defaultKmsKeyName;
  if (kmsKeyName === undefined) return {};
  checkKmsKey(call, kmsKeyName);
  return { kmsKeyName };
}

/** Refuses a key of Cloud KMS that cannot be used. */
export function checkKmsKey(call: Call, name: string): void {
  if (!kmsForm.test(name)) throw invalid(`Invalid Cloud KMS key name: ${name}`);
  if (call.state.kmsKeys.has(name)) return;
  throw new GcsError(
    403,
    "forbidden",
    "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized to use this key.",
  );
}

function refuse(reason: keyof typeof help): GcsError {
  return new GcsError(400, reason, help[reason], { xmlCode: camelToPascal(reason) });
}

function camelToPascal(reason: string): string {
  return reason.slice(0, 1).toUpperCase() + reason.slice(1);
}
