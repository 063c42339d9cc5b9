import { createHash } from "node:crypto";
import type { CustomerKey } from "@flotilla/sdk/secrets";
import type { ObjectStoreConfig } from "./config.ts";

/** What a location says about its objects, as requests take it. */
export interface GcsSettings {
  /** Fields of the metadata of new objects. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Parameters of requests that make new objects. */
  readonly query: { readonly kmsKeyName?: string };
  /** Headers of every request that touches an object's bytes or checksums. */
  readonly customerKey: Readonly<Record<string, string>>;
}

/** Reads the settings of a location's objects. */
export function gcsSettings(
  { storageClass, kmsKeyName }: ObjectStoreConfig,
  key: CustomerKey | undefined,
): GcsSettings {
  return {
    metadata: storageClass === undefined ? {} : { storageClass },
    query: kmsKeyName === undefined ? {} : { kmsKeyName },
    customerKey: key === undefined ? {} : customerKeyHeaders(key.bytes),
  };
}

function customerKeyHeaders(key: Buffer): Readonly<Record<string, string>> {
  return {
    "x-goog-encryption-algorithm": "AES256",
    "x-goog-encryption-key": key.toString("base64"),
    "x-goog-encryption-key-sha256": createHash("sha256").update(key).digest("base64"),
  };
}
