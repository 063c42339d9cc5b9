import { createHash } from "node:crypto";

import { BlobError, invalidHeader } from "./blob-error.ts";
import type { BlobEncryption } from "./blob-meta.ts";
import type { Call } from "./call.ts";
import type { ContainerConfig } from "./container.ts";

/** Reads how a write is to be encrypted: by a scope, by the customer's key, or as the service does by itself. */
export function readEncryption(call: Call, container: ContainerConfig): BlobEncryption {
  const keySha256 = readCustomerKey(call, "x-ms-");
  const asked = call.headers.get("x-ms-encryption-scope") ?? signedScope(call);
  if (asked !== undefined && keySha256 !== undefined) throw invalidHeader("x-ms-encryption-scope", asked);
  if (asked !== undefined) checkScope(call, asked);
  const fixed = container.deniesOtherScopes === true ? container.defaultScope : undefined;
  if (fixed !== undefined && (keySha256 !== undefined || (asked !== undefined && asked !== fixed))) {
    throw new BlobError("RequestForbiddenByContainerEncryptionPolicy");
  }
  if (keySha256 !== undefined) return { keySha256 };
  const scope = asked ?? container.defaultScope;
  return scope === undefined ? {} : { scope };
}

/** Refuses a request for a blob whose key it does not bring. */
export function checkCustomerKey(call: Call, encryption: BlobEncryption): void {
  const given = readCustomerKey(call, "x-ms-");
  compareKeys(given, encryption.keySha256);
}

/** The same for the source of a copy. */
export function checkSourceKey(call: Call, encryption: BlobEncryption): void {
  // Older versions know no such headers.
  const given = call.version < "2026-02-06" ? undefined : readCustomerKey(call, "x-ms-source-");
  compareKeys(given, encryption.keySha256);
}

/** Refuses a change of what is there with another encryption than it has. */
export function checkSameEncryption(given: BlobEncryption, existing: BlobEncryption): void {
  compareKeys(given.keySha256, existing.keySha256);
  if (given.scope !== existing.scope) throw new BlobError("BlobCustomerSpecifiedEncryptionMismatch");
}

/** Returns the headers that tell how something was encrypted. */
export function encryptionHeaders(encryption: BlobEncryption): Record<string, string | undefined> {
  return { "x-ms-encryption-key-sha256": encryption.keySha256, "x-ms-encryption-scope": encryption.scope };
}

/** Refuses a scope that the account does not have. */
export function checkScope(call: Call, scope: string): void {
  if (call.account.encryptionScopes?.includes(scope) === true) return;
  throw invalidHeader("x-ms-encryption-scope", scope);
}

function signedScope(call: Call): string | undefined {
  return call.authorization.kind === "sas" ? call.authorization.encryptionScope : undefined;
}

function readCustomerKey(call: Call, prefix: string): string | undefined {
  const [key, sha256, algorithm] = ["key", "key-sha256", "algorithm"].map((name) =>
    call.headers.get(`${prefix}encryption-${name}`),
  );
  if (key === undefined && sha256 === undefined && algorithm === undefined) return undefined;
  if (!call.isSecure) throw invalidHeader(`${prefix}encryption-key`, "a key over plain HTTP");
  for (const [name, value] of Object.entries({ "encryption-key": key, "encryption-key-sha256": sha256 })) {
    if (value === undefined) throw new BlobError("MissingRequiredHeader", { HeaderName: `${prefix}${name}` });
  }
  if (algorithm !== "AES256") throw invalidHeader(`${prefix}encryption-algorithm`, algorithm ?? "");
  const bytes = Buffer.from(key ?? "", "base64");
  const computed = createHash("sha256").update(bytes).digest("base64");
  if (bytes.length !== 32 || computed !== sha256) throw invalidHeader(`${prefix}encryption-key-sha256`, sha256 ?? "");
  return computed;
}

function compareKeys(given: string | undefined, used: string | undefined): void {
  if (given === used) return;
  if (given === undefined) throw new BlobError("BlobUsesCustomerSpecifiedEncryption");
  if (used === undefined) throw new BlobError("BlobDoesNotUseCustomerSpecifiedEncryption");
  throw new BlobError("BlobCustomerSpecifiedEncryptionMismatch");
}
