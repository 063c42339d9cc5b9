import { driverObjectStore } from "@flotilla/sdk/objects";
import type { Call, OpenContext, OpenedObjectStore } from "@flotilla/sdk/plugin";
import { readCustomerKey } from "@flotilla/sdk/secrets";
import { checkObjectStore } from "./azure-blob-check.ts";
import { AzureBlobDriver } from "./azure-blob-driver.ts";
import { AzureBlobSession } from "./azure-blob-session.ts";
import { blobSettings } from "./azure-blob-settings.ts";
import { openConnection } from "./client.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { requireTls, StorageAccount } from "./storage-account.ts";

/** Opens a BackupStorageLocation. Only what a file must yield is read; Azure is asked for nothing. */
export async function openObjectStore(config: ObjectStoreConfig, context: OpenContext): Promise<OpenedObjectStore> {
  const { blockSizeInBytes: blockSize, insecureSkipTLSVerify, storageAccountKeyEnvVar, memoryLimit } = config;
  if (blockSize?.fault !== undefined) context.log.info(`blockSizeInBytes ${blockSize.fault}`);
  const [connection, customerKey] = await Promise.all([
    openConnection(
      { ...config, insecureSkipVerify: insecureSkipTLSVerify, expectedLine: storageAccountKeyEnvVar },
      context,
    ),
    readCustomerKey(config, context),
  ]);
  const account = await StorageAccount.open(config, connection);
  if (customerKey !== undefined) requireTls(config, "a customerKeyEncryption key");
  const settings = blobSettings(config, customerKey);

  const openSession = (bucket: string): AzureBlobSession =>
    new AzureBlobSession({ bucket, account, httpClient: connection.httpClient });
  const openDriver = (bucket: string, session = openSession(bucket), own = settings): AzureBlobDriver =>
    new AzureBlobDriver({ session, settings: own, firstPartBytes: blockSize?.bytes });

  const store = driverObjectStore({ openDriver: (bucket) => openDriver(bucket), memoryLimitBytes: memoryLimit });
  return Object.assign(store, {
    check: (call: Call) => {
      const session = openSession(config.bucket);
      const driver = openDriver(config.bucket, session);
      const { tags: _, ...newObject } = settings.newObject;
      const untaggedDriver = openDriver(config.bucket, session, { ...settings, newObject });
      return checkObjectStore({ config, connection, account, customerKey, session, driver, untaggedDriver }, call);
    },
    close: async () => {
      account.close();
      connection.close();
    },
  });
}
