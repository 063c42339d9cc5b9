import { driverObjectStore } from "@flotilla/sdk/objects";
import type { Call, OpenContext, OpenedObjectStore } from "@flotilla/sdk/plugin";
import { openConnection } from "./client.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { S3BlobDriver } from "./s3-blob-driver.ts";
import { checkObjectStore } from "./s3-check.ts";
import { openEncryption } from "./s3-encryption.ts";
import { removeLeftovers } from "./s3-leftovers.ts";
import { S3Session } from "./s3-session.ts";
import { createSigner } from "./s3-signer.ts";

/** Opens a BackupStorageLocation. Only what a file must yield is read; S3 is asked for nothing. */
export async function openObjectStore(config: ObjectStoreConfig, context: OpenContext): Promise<OpenedObjectStore> {
  const [connection, encryption] = await Promise.all([
    openConnection(
      "s3",
      { ...config, endpoint: config.s3Url, insecureSkipVerify: config.insecureSkipTLSVerify },
      context,
    ),
    openEncryption(config, context),
  ]);
  const { settings, isRegionKnown } = connection;
  const background = new AbortController();
  let hasLookedForLeftovers = false;

  const forcePathStyle = config.s3ForcePathStyle;

  const openSession = (bucket: string): S3Session => new S3Session({ bucket, settings, forcePathStyle, isRegionKnown });
  const openDriver = (bucket: string, session = openSession(bucket), tagging = config.tagging): S3BlobDriver =>
    new S3BlobDriver({
      session,
      checksumAlgorithm: config.checksumAlgorithm,
      encryption,
      tagging,
      sign: createSigner({ session, settings, forcePathStyle, publicUrl: config.publicUrl, encryption }),
      onUploadStarted: (call) => {
        if (hasLookedForLeftovers || bucket !== config.bucket) return;
        hasLookedForLeftovers = true;
        // Not awaited, so that no put waits for it; it never rejects and ends with the location.
        void removeLeftovers(session, config.prefix, Date.now(), { log: call.log, signal: background.signal });
      },
    });

  const store = driverObjectStore({ openDriver: (bucket) => openDriver(bucket), memoryLimitBytes: config.memoryLimit });
  return Object.assign(store, {
    check: (call: Call) => {
      const session = openSession(config.bucket);
      const driver = openDriver(config.bucket, session);
      const untaggedDriver = openDriver(config.bucket, session, "");
      const check = { config, encryption, endpoint: settings.endpoint, session, driver, untaggedDriver };
      return checkObjectStore(check, call);
    },
    close: async () => {
      background.abort();
      settings.requestHandler.destroy?.();
    },
  });
}
