import { defaultTries, PluginError, systemClock } from "../plugin/index.ts";
import { withCopies } from "./copies.ts";
import { openDownload } from "./download.ts";
import { guardGzip } from "./gzip-guard.ts";
import { verified } from "./integrity.ts";
import { listCommonPrefixes, listObjects } from "./listing.ts";
import { nameOf } from "./object-name.ts";
import { PartPool } from "./part-pool.ts";
import { restarting } from "./restart.ts";
import { uploadObject } from "./upload.ts";
import type { Clock, ObjectInspector, ObjectRef, ObjectStore } from "../plugin/index.ts";
import type { BlobDriver } from "./blob-driver.ts";
import type { CopiesOptions } from "./copies.ts";
import type { TransferContext } from "./transfer-context.ts";

/** What an object store is made of. */
export interface DriverObjectStoreOptions {
  /** Called once for each bucket. */
  readonly openDriver: (bucket: string) => BlobDriver;
  /** For part buffers and read-ahead of all transfers together; 64 MiB unless told. */
  readonly memoryLimitBytes?: number;
  /** Where copies are kept; none where absent or without places. */
  readonly copies?: CopiesOptions | undefined;
  readonly clock?: Clock;
  /** Between 0 and 1, for the jitter of backoffs. */
  readonly random?: () => number;
}

/** Of the memory of all transfers of one location. */
export const defaultMemoryLimitBytes = 64 * 1024 ** 2;

/** Turns a driver into an object store: here the layers are put together. */
export function driverObjectStore(options: DriverObjectStoreOptions): ObjectStore & ObjectInspector {
  const { contextOf, contextFor, clock } = transferContexts(options);
  const store = storeOf(contextOf);
  const { copies } = options;
  if (copies === undefined || copies.places.length === 0) return store;
  return withCopies(store, copies, { primary: contextOf(copies.root.bucket), clock, contextFor });
}

function storeOf(contextOf: (bucket: string) => TransferContext): ObjectStore & ObjectInspector {
  const driverOf = (bucket: string): BlobDriver => contextOf(bucket).driver;
  return {
    putObject: async (object, body, call) => {
      await uploadObject(contextOf(object.bucket), object, guardGzip(object, body), call).catch(rethrow);
    },
    getObject: (object, call) =>
      restarting(object, call, async function* () {
        yield* verified(object, await openDownload(contextOf(object.bucket), object, call), call);
      }),
    objectExists: async (object, call) => (await driverOf(object.bucket).stat(object.key, call)) !== undefined,
    describeObject: async (object, call) => {
      const driver = driverOf(object.bucket);
      const description = await driver.stat(object.key, call);
      if (description === undefined) throw absent(object);
      const isOfParts = description.checksum?.scope === "composite";
      const isCompared = !isOfParts || ((await driver.comparesParts?.(object.key, description, call)) ?? true);
      return isCompared ? description : { ...description, checksum: undefined };
    },
    listCommonPrefixes: async (query, call) => await listCommonPrefixes(driverOf(query.bucket), query, call),
    listObjects: async (query, call) => await listObjects(driverOf(query.bucket), query, call),
    deleteObject: async ({ bucket, key }, call) => await driverOf(bucket).remove(key, call),
    createSignedUrl: async ({ bucket, key }, ttlSeconds, call) => await driverOf(bucket).sign(key, ttlSeconds, call),
  };
}

interface TransferContexts {
  readonly contextOf: (bucket: string) => TransferContext;
  readonly contextFor: (driver: BlobDriver) => TransferContext;
  readonly clock: Clock;
}

function transferContexts(options: DriverObjectStoreOptions): TransferContexts {
  const { openDriver, memoryLimitBytes, clock = systemClock, random } = options;
  const pool = new PartPool(memoryLimitBytes ?? defaultMemoryLimitBytes);
  const retry = { ...defaultTries, clock, random: random ?? Math.random };
  const contextFor = (driver: BlobDriver): TransferContext => {
    const lastFailure: NonNullable<TransferContext["lastFailure"]> = { current: undefined };
    const onFailure = (error: PluginError): void => void (lastFailure.current = { error, atMs: clock.now() });
    return { driver, pool, retry: { ...retry, onFailure }, lastFailure };
  };
  const contexts = new Map<string, TransferContext>();
  const contextOf = (bucket: string): TransferContext => {
    const context = contexts.get(bucket) ?? contextFor(openDriver(bucket));
    contexts.set(bucket, context);
    return context;
  };
  return { contextOf, contextFor, clock };
}

/** Sources and signals throw what they like; the contract does not. */
function rethrow(error: unknown): never {
  throw PluginError.from(error);
}

function absent(object: ObjectRef): PluginError {
  return new PluginError(`describe ${nameOf(object)}: not found`, { kind: "not-found" });
}
