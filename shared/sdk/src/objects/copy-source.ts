import type { ObjectRef } from "../plugin/index.ts";
import type { BlobDescription, BlobDriver, CopySource } from "./blob-driver.ts";

/** A described object as what another driver's store copies. */
export function copySourceOf(
  driver: Pick<BlobDriver, "sign">,
  { bucket, key }: ObjectRef,
  { sizeBytes, version, readVersion, checksum }: BlobDescription,
): CopySource {
  return {
    bucket,
    key,
    sizeBytes: Number(sizeBytes),
    version: readVersion ?? version,
    checksum,
    sign: async (ttlSeconds, call) => await driver.sign(key, ttlSeconds, call),
  };
}
