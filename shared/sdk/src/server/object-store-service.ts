import { PluginError } from "../plugin/index.ts";
import { velero } from "../wire/index.ts";
import { getObjectHandler } from "./get-object.ts";
import { unaryHandler } from "./handlers.ts";
import type { Handler, ServiceContext } from "./handlers.ts";
import { requireDefinition } from "./registrations.ts";
import type { Registration } from "./registrations.ts";
import type { ObjectLocations } from "./object-locations.ts";
import { requireKey } from "./object-ref.ts";
import { putObjectHandler } from "./put-object.ts";

const nanosecondsPerSecond = 1_000_000_000n;

/** The server's ObjectStore service, in front of the registered object stores. */
export function objectStoreHandlers(
  registrations: readonly Registration[],
  locations: ObjectLocations,
  context: ServiceContext,
): readonly Handler[] {
  const { method } = velero.ObjectStore;
  return [
    unaryHandler(method.init, context, async ({ plugin, config }, call) => {
      const definition = requireDefinition(registrations, "ObjectStore", plugin);
      const opened = await definition.open(config, { log: context.log, env: process.env, signal: call.signal });
      locations.add(plugin, config, opened);
      return {};
    }),
    putObjectHandler(locations, context),
    getObjectHandler(locations, context),
    unaryHandler(method.objectExists, context, async ({ plugin, bucket, key }, call) => {
      const object = requireKey({ bucket, key });
      const location = locations.find(plugin, bucket, key);
      return { exists: await location.use(async (store) => await store.objectExists(object, call)) };
    }),
    unaryHandler(method.listCommonPrefixes, context, async ({ plugin, bucket, delimiter, prefix }, call) => {
      const location = locations.find(plugin, bucket, prefix);
      const query = { bucket, delimiter, prefix };
      return { prefixes: [...(await location.use(async (store) => await store.listCommonPrefixes(query, call)))] };
    }),
    unaryHandler(method.listObjects, context, async ({ plugin, bucket, prefix }, call) => {
      const location = locations.find(plugin, bucket, prefix);
      return { keys: [...(await location.use(async (store) => await store.listObjects({ bucket, prefix }, call)))] };
    }),
    unaryHandler(method.deleteObject, context, async ({ plugin, bucket, key }, call) => {
      const object = requireKey({ bucket, key });
      await locations.find(plugin, bucket, key).use(async (store) => {
        await store.deleteObject(object, call);
      });
      return {};
    }),
    unaryHandler(method.createSignedURL, context, async ({ plugin, bucket, key, ttl }, call) => {
      const object = requireKey({ bucket, key });
      const ttlSeconds = secondsOf(ttl);
      const location = locations.find(plugin, bucket, key);
      return { url: await location.use(async (store) => await store.createSignedUrl(object, ttlSeconds, call)) };
    }),
  ];
}

/** Whole seconds, as clouds count them, never fewer than were asked for. */
function secondsOf(nanoseconds: bigint): number {
  if (nanoseconds <= 0n)
    throw new PluginError(`sign URL: the time to live must be positive, not ${nanoseconds} ns`, {
      kind: "invalid-argument",
    });
  return Number((nanoseconds + nanosecondsPerSecond - 1n) / nanosecondsPerSecond);
}
