import { createHash } from "node:crypto";
import type { CpkInfo } from "@azure/storage-blob";
import type { CustomerKey } from "@flotilla/sdk/secrets";
import type { ObjectStoreConfig } from "./config.ts";

/** What a location says about its objects, as the SDK's requests take it. */
export interface AzureBlobSettings {
  /** Of requests that make an object visible. */
  readonly newObject: {
    readonly tier?: "Hot" | "Cool" | "Cold";
    readonly tags?: Record<string, string>;
  };
  /** Of requests that send an object's bytes. */
  readonly writing: { readonly encryptionScope?: string } & CustomerKeyFields;
  /** Of every request that touches an object. */
  readonly customerKey: CustomerKeyFields;
}

interface CustomerKeyFields {
  readonly customerProvidedKey?: CpkInfo;
}

/** Reads the settings of a location's objects. */
export function blobSettings(
  { accessTier: tier, tagging: tags, encryptionScope }: ObjectStoreConfig,
  key: CustomerKey | undefined,
): AzureBlobSettings {
  const customerKey: CustomerKeyFields = key === undefined ? {} : { customerProvidedKey: cpkInfo(key.bytes) };
  return {
    newObject: {
      ...(tier === undefined ? {} : { tier }),
      ...(tags === undefined ? {} : { tags: { ...tags } }),
    },
    writing: { ...(encryptionScope === undefined ? {} : { encryptionScope }), ...customerKey },
    customerKey,
  };
}

function cpkInfo(key: Buffer): CpkInfo {
  return {
    encryptionKey: key.toString("base64"),
    encryptionKeySha256: createHash("sha256").update(key).digest("base64"),
    encryptionAlgorithm: "AES256",
  };
}
