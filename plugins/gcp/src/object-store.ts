import { checkContentsOfCopies, driverObjectStore } from "@flotilla/sdk/objects";
import { requireOtherBuckets } from "@flotilla/sdk/plugin";
import type { Call, Finding, OpenContext, OpenedObjectStore } from "@flotilla/sdk/plugin";
import type { ObjectStoreConfig } from "./config.ts";
import { checkCopies } from "./gcs-copy-check.ts";
import { gcsCopyPlace } from "./gcs-copy-place.ts";
import { openGcsLocation } from "./gcs-location.ts";

/** Opens a BackupStorageLocation. Only what a file must yield is read; Google Cloud is asked for nothing. */
export async function openObjectStore(config: ObjectStoreConfig, context: OpenContext): Promise<OpenedObjectStore> {
  const { bucket, prefix, copyTo } = config;
  requireOtherBuckets(copyTo, { bucket });
  const location = await openGcsLocation(config, context);
  const places = copyTo.map((target) => gcsCopyPlace(target, location, context));
  const copies = { root: { bucket, prefix }, places };
  const openDriver = (name: string) => location.openDriver(location.openSession(name));
  const store = driverObjectStore({ openDriver, memoryLimitBytes: config.memoryLimit, copies });
  return Object.assign(store, {
    check: async function* (call: Call): AsyncGenerator<Finding> {
      yield* location.check(call);
      yield* checkCopies(location, places, call);
      yield* checkContentsOfCopies(copies, openDriver, call);
    },
    close: async () => {
      location.close();
      await Promise.all(places.map(async (place) => await place.close()));
    },
  });
}
