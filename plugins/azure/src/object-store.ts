import { checkContentsOfCopies, driverObjectStore } from "@flotilla/sdk/objects";
import { requireOtherBuckets } from "@flotilla/sdk/plugin";
import type { Call, Finding, OpenContext, OpenedObjectStore } from "@flotilla/sdk/plugin";
import { openContainer } from "./azure-container.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { copyPlaces } from "./copy-places.ts";

/** Opens a BackupStorageLocation. Only what a file must yield is read; Azure is asked for nothing. */
export async function openObjectStore(config: ObjectStoreConfig, context: OpenContext): Promise<OpenedObjectStore> {
  const { bucket, prefix, blockSizeInBytes, memoryLimit, copyTo, storageAccount, storageAccountURI } = config;
  if (blockSizeInBytes?.fault !== undefined) context.log.info(`blockSizeInBytes ${blockSizeInBytes.fault}`);
  requireOtherBuckets(copyTo, { bucket, storageAccount, storageAccountURI });
  const container = await openContainer(config, context);
  const copies = copyPlaces(config, container, context);
  const placed = { root: { bucket, prefix }, places: copies.places };
  const openDriver = (name: string) => container.openDriver(name);
  const store = driverObjectStore({ openDriver, memoryLimitBytes: memoryLimit, copies: placed });
  return Object.assign(store, {
    check: async function* (call: Call): AsyncGenerator<Finding> {
      yield* container.check(call);
      yield* copies.check(call);
      yield* checkContentsOfCopies(placed, openDriver, call);
    },
    close: async () => {
      await copies.close();
      container.close();
    },
  });
}
