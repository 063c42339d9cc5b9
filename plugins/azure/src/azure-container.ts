import type { CpkInfo } from "@azure/storage-blob";
import type { Call, Finding, OpenContext } from "@flotilla/sdk/plugin";
import { readCustomerKey } from "@flotilla/sdk/secrets";
import { checkObjectStore } from "./azure-blob-check.ts";
import { AzureBlobDriver } from "./azure-blob-driver.ts";
import type { AzureBlobDriverOptions } from "./azure-blob-driver.ts";
import { AzureBlobSession } from "./azure-blob-session.ts";
import { blobSettings } from "./azure-blob-settings.ts";
import { openConnection } from "./client.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { requireTls, StorageAccount } from "./storage-account.ts";

/** What a configuration opens: the location's container, or one that copies go to. */
export interface AzureContainer {
  readonly session: AzureBlobSession;
  /** The customer's key of its objects. */
  readonly customerKey: CpkInfo | undefined;
  /** Another bucket takes the same account. */
  openDriver(bucket: string, copies?: AzureBlobDriverOptions["copies"]): AzureBlobDriver;
  check(call: Call): AsyncIterable<Finding>;
  close(): void;
}

/** Opens a container. Only what a file must yield is read; Azure is asked for nothing. */
export async function openContainer(config: ObjectStoreConfig, context: OpenContext): Promise<AzureContainer> {
  const { bucket, blockSizeInBytes, insecureSkipTLSVerify, storageAccountKeyEnvVar } = config;
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
  const { httpClient } = connection;
  const session = new AzureBlobSession({ bucket, account, httpClient });
  const driverOf = (of: Pick<AzureBlobDriverOptions, "session" | "settings" | "copies">): AzureBlobDriver =>
    new AzureBlobDriver({ ...of, firstPartBytes: blockSizeInBytes?.bytes });
  return {
    session,
    customerKey: settings.customerKey.customerProvidedKey,
    openDriver: (name, copies) =>
      driverOf({
        session: name === bucket ? session : new AzureBlobSession({ bucket: name, account, httpClient }),
        settings,
        ...(copies === undefined ? {} : { copies }),
      }),
    check: (call) => {
      const { tags: _, ...newObject } = settings.newObject;
      const driver = driverOf({ session, settings });
      const untaggedDriver = driverOf({ session, settings: { ...settings, newObject } });
      return checkObjectStore({ config, connection, account, customerKey, session, driver, untaggedDriver }, call);
    },
    close: () => {
      account.close();
      connection.close();
    },
  };
}
