import type { Call } from "./call.ts";
import { GceError, invalidField } from "./gce-error.ts";

const form = /^(projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+)(?:\/cryptoKeyVersions\/\d+)?$/;

/** Reads which key of Cloud KMS encrypts a resource; undefined for Google's own. */
export function readKmsKey(call: Call, body: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  const key = new Map<string, unknown>(typeof value === "object" ? Object.entries(value) : []);
  const name = key.get("kmsKeyName");
  if (key.has("rawKey") || key.has("rsaEncryptedKey")) {
    throw invalidField(`resource.${field}`, "", "Keys that the customer supplies are not known to this stand-in.");
  }
  if (name === undefined) return undefined;
  const [, plain] = form.exec(typeof name === "string" ? name : "") ?? [];
  if (plain === undefined) throw invalidField(`resource.${field}.kmsKeyName`, name, "Not the name of a key.");
  if (call.kmsKeys.has(plain)) return plain;
  throw new GceError(
    400,
    "kmsPermissionDenied",
    `Cloud KMS error when using key ${plain}: Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied on resource '${plain}' (or it may not exist).`,
  );
}

/** Writes a key. */
export function writeKmsKey(field: string, name: string | undefined): Readonly<Record<string, unknown>> {
  return name === undefined ? {} : { [field]: { kmsKeyName: `${name}/cryptoKeyVersions/1` } };
}
