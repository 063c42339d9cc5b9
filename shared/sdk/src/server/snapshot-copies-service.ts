import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";

import { PluginError } from "../plugin/index.ts";
import type { SnapshotCopier, SnapshotCopy, SnapshotOrigin } from "../plugin/index.ts";
import { SnapshotCopies, SnapshotCopy_State, SnapshotOrigin_Readiness } from "../wire/index.ts";
import type { SnapshotCopySchema, SnapshotOriginSchema } from "../wire/index.ts";
import { waitingDeadlineMs } from "./call-bounds.ts";
import { serverStreamHandler, unaryHandler } from "./handlers.ts";
import type { Handler, ServiceContext } from "./handlers.ts";
import type { SnapshotLocations } from "./snapshot-locations.ts";

const states: Readonly<Record<SnapshotCopy["state"], SnapshotCopy_State>> = {
  pending: SnapshotCopy_State.PENDING,
  completed: SnapshotCopy_State.COMPLETED,
  failed: SnapshotCopy_State.FAILED,
};

const readinesses: Readonly<Record<SnapshotOrigin["readiness"], SnapshotOrigin_Readiness>> = {
  ready: SnapshotOrigin_Readiness.READY,
  unfinished: SnapshotOrigin_Readiness.UNFINISHED,
  failed: SnapshotOrigin_Readiness.FAILED,
};

/** flotilla.v1: copies of snapshots in other regions, made and found by the location that was opened last. */
export function snapshotCopiesHandlers(locations: SnapshotLocations, context: ServiceContext): readonly Handler[] {
  return [...listHandlers(locations, context), ...changeHandlers(locations, context)];
}

function listHandlers(locations: SnapshotLocations, context: ServiceContext): readonly Handler[] {
  const { method } = SnapshotCopies;
  return [
    unaryHandler(method.listTargets, context, async ({ plugin }, call) => {
      const targets = await withCopier(locations, plugin, async (copier) => await copier.targets(call));
      return {
        targets: targets.map(({ region, maxConcurrent, isSerialPerVolume: serialPerVolume }) => ({
          region,
          maxConcurrent,
          serialPerVolume,
        })),
      };
    }),
    serverStreamHandler(method.listOrigins, context, async function* ({ plugin, backup, snapshotIds }, call) {
      const query = { ...(backup === "" ? {} : { backup }), ...(snapshotIds.length === 0 ? {} : { snapshotIds }) };
      const copier = await withCopier(locations, plugin, async (copier) => await Promise.resolve(copier));
      for await (const origin of copier.listOrigins(query, call)) yield originMessage(origin);
    }),
    serverStreamHandler(method.listCopies, context, async function* ({ plugin, region, originId }, call) {
      const query = { region, ...(originId === "" ? {} : { originId }) };
      const copier = await withCopier(locations, plugin, async (copier) => await Promise.resolve(copier));
      for await (const copy of copier.listCopies(query, call)) yield copyMessage(copy);
    }),
    serverStreamHandler(method.listLocalCopies, context, async function* ({ plugin, originId }, call) {
      const copies = await withCopier(locations, plugin, async (copier) => await copier.localCopies(originId, call));
      yield* copies.map(copyMessage);
    }),
  ];
}

function changeHandlers(locations: SnapshotLocations, context: ServiceContext): readonly Handler[] {
  const { method } = SnapshotCopies;
  return [
    unaryHandler(
      method.startCopy,
      context,
      async ({ plugin, originId, region }, call) => {
        const request = { originId, region };
        return { copyId: await withCopier(locations, plugin, async (copier) => await copier.startCopy(request, call)) };
      },
      waitingDeadlineMs,
    ),
    unaryHandler(method.tendCopy, context, async ({ plugin, region, copyId }, call) => {
      await withCopier(locations, plugin, async (copier) => {
        await copier.tendCopy({ region, copyId }, call);
      });
      return {};
    }),
    unaryHandler(method.deleteCopy, context, async ({ plugin, region, copyId }, call) => {
      await withCopier(locations, plugin, async (copier) => {
        await copier.deleteCopy({ region, copyId }, call);
      });
      return {};
    }),
  ];
}

async function withCopier<R>(
  locations: SnapshotLocations,
  plugin: string,
  work: (copier: SnapshotCopier) => Promise<R>,
): Promise<R> {
  return await locations.newest(plugin, async ({ copies }) => {
    if (copies !== undefined) return await work(copies);
    throw new PluginError(`the plugin ${plugin} cannot copy snapshots to other regions`, { kind: "unsupported" });
  });
}

function originMessage(origin: SnapshotOrigin): MessageInitShape<typeof SnapshotOriginSchema> {
  const { startedAt, readiness, ...rest } = origin;
  return { ...rest, readiness: readinesses[readiness], ...started(startedAt) };
}

function copyMessage(copy: SnapshotCopy): MessageInitShape<typeof SnapshotCopySchema> {
  const { startedAt, state, ...rest } = copy;
  return { ...rest, state: states[state], ...started(startedAt) };
}

function started(at: Date | undefined): { readonly startedAt?: Timestamp } {
  return at === undefined ? {} : { startedAt: timestampFromDate(at) };
}
