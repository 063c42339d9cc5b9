import { checkContentsOfCopies, driverObjectStore } from "@flotilla/sdk/objects";
import { requireOtherBuckets } from "@flotilla/sdk/plugin";
import type { Call, Finding, OpenContext, OpenedObjectStore } from "@flotilla/sdk/plugin";
import type { ObjectStoreConfig } from "./config.ts";
import { checkObjectStore } from "./s3-check.ts";
import { checkCopies } from "./s3-copy-check.ts";
import { s3CopyPlace } from "./s3-copy-place.ts";
import { openS3Location } from "./s3-location.ts";

/** Opens a BackupStorageLocation. Only what a file must yield is read; S3 is asked for nothing. */
export async function openObjectStore(config: ObjectStoreConfig, context: OpenContext): Promise<OpenedObjectStore> {
  const { bucket, prefix, s3Url, copyTo } = config;
  requireOtherBuckets(copyTo, { bucket, s3Url });
  const location = await openS3Location(config, context);
  const places = copyTo.map((target) => s3CopyPlace(target, location, context));
  const copies = { root: { bucket, prefix }, places };
  const openDriver = (name: string) => location.openDriver(location.openSession(name));
  const store = driverObjectStore({ openDriver, memoryLimitBytes: config.memoryLimit, copies });
  return Object.assign(store, {
    check: async function* (call: Call): AsyncGenerator<Finding> {
      yield* checkObjectStore(location, call);
      yield* checkCopies(location, places, call);
      yield* checkContentsOfCopies(copies, openDriver, call);
    },
    close: async () => {
      location.close();
      await Promise.all(places.map(async (place) => await place.close()));
    },
  });
}
