import { isJsonObject, isKind, parseJson, PluginError, printJson } from "../plugin/index.ts";
import type { PersistentVolume } from "../plugin/index.ts";
import { velero } from "../wire/index.ts";
import { waitingDeadlineMs } from "./call-bounds.ts";
import { unaryHandler } from "./handlers.ts";
import type { Handler, ServiceContext } from "./handlers.ts";
import { requireDefinition } from "./registrations.ts";
import type { Registration } from "./registrations.ts";
import type { SnapshotLocations } from "./snapshot-locations.ts";

/** The server's VolumeSnapshotter service, in front of the registered snapshotters. */
export function volumeSnapshotterHandlers(
  registrations: readonly Registration[],
  locations: SnapshotLocations,
  context: ServiceContext,
): readonly Handler[] {
  const { method } = velero.VolumeSnapshotter;
  return [
    unaryHandler(method.init, context, async ({ plugin, config }, call) => {
      const definition = requireDefinition(registrations, "VolumeSnapshotter", plugin);
      const opened = await definition.open(config, { log: context.log, env: process.env, signal: call.signal });
      locations.add(plugin, config, opened);
      return {};
    }),
    ...snapshotHandlers(locations, context),
    ...persistentVolumeHandlers(locations, context),
  ];
}

function snapshotHandlers(locations: SnapshotLocations, context: ServiceContext): readonly Handler[] {
  const { method } = velero.VolumeSnapshotter;
  return [
    unaryHandler(
      method.createVolumeFromSnapshot,
      context,
      async ({ plugin, snapshotID, volumeType, volumeAZ, iops }, call) => {
        const request = { volumeType, volumeAz: volumeAZ, iops: iops === 0n ? undefined : iops };
        const volumeID = await locations.whereReadable(
          plugin,
          snapshotID,
          call,
          async (snapshotter, snapshotId) =>
            await snapshotter.createVolumeFromSnapshot({ ...request, snapshotId }, call),
        );
        return { volumeID };
      },
      waitingDeadlineMs,
    ),
    unaryHandler(method.getVolumeInfo, context, async ({ plugin, volumeID, volumeAZ }, call) => {
      const volume = { volumeId: volumeID, volumeAz: volumeAZ };
      const info = await locations.whereKnown(
        plugin,
        volumeID,
        async (snapshotter) => await snapshotter.getVolumeInfo(volume, call),
      );
      return { volumeType: info.volumeType, iops: info.iops ?? 0n };
    }),
    unaryHandler(
      method.createSnapshot,
      context,
      async ({ plugin, volumeID, volumeAZ, tags }, call) => {
        const request = { volumeId: volumeID, volumeAz: volumeAZ, tags };
        const snapshotID = await locations.whereKnown(
          plugin,
          volumeID,
          async (snapshotter) => await snapshotter.createSnapshot(request, call),
        );
        return { snapshotID };
      },
      waitingDeadlineMs,
    ),
    unaryHandler(
      method.deleteSnapshot,
      context,
      async ({ plugin, snapshotID }, call) => {
        const remove = async (): Promise<void> => {
          await locations.whereKnown(plugin, snapshotID, async (snapshotter) => {
            await snapshotter.deleteSnapshot(snapshotID, call);
          });
        };
        // The server expects what is gone to count as deleted; only its copies can be left.
        await whereAbsent(remove, async () => {
          await locations.deleteLocalCopies(plugin, snapshotID, call);
        });
        return {};
      },
      waitingDeadlineMs,
    ),
  ];
}

async function whereAbsent(work: () => Promise<void>, instead: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isKind(error, "not-found")) throw error;
    await instead();
  }
}

function persistentVolumeHandlers(locations: SnapshotLocations, context: ServiceContext): readonly Handler[] {
  const { method } = velero.VolumeSnapshotter;
  return [
    unaryHandler(method.getVolumeID, context, async ({ plugin, persistentVolume }, call) => {
      const volume = parsePersistentVolume(persistentVolume);
      const volumeID = await locations.newest(
        plugin,
        async (snapshotter) => await snapshotter.getVolumeId(volume, call),
      );
      return { volumeID };
    }),
    unaryHandler(method.setVolumeID, context, async ({ plugin, persistentVolume, volumeID }, call) => {
      const volume = parsePersistentVolume(persistentVolume);
      const changed = await locations.whereKnown(
        plugin,
        volumeID,
        async (snapshotter) => await snapshotter.setVolumeId(volume, volumeID, call),
      );
      return { persistentVolume: Buffer.from(printJson(changed)) };
    }),
  ];
}

function parsePersistentVolume(bytes: Uint8Array): PersistentVolume {
  try {
    const volume = parseJson(Buffer.from(bytes).toString("utf8"));
    if (isJsonObject(volume)) return volume;
  } catch (error) {
    throw new PluginError(`the PersistentVolume is no JSON: ${String(error)}`, {
      kind: "invalid-argument",
      cause: error,
    });
  }
  throw new PluginError("the PersistentVolume is no JSON object", { kind: "invalid-argument" });
}
