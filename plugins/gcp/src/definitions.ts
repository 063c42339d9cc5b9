import { defineObjectStore, defineVolumeSnapshotter } from "@flotilla/sdk/plugin";
import type { Definition } from "@flotilla/sdk/plugin";
import { objectStoreConfig, volumeSnapshotterConfig } from "./config.ts";

const name = "velero.io/gcp";

/**
 * What the executable registers. What speaks to the cloud is loaded by open, each part only by the kind that needs it, so
 * that a process which serves objects never evaluates the compute client and the other way round.
 */
export const definitions: readonly Definition[] = [
  defineObjectStore({
    name,
    config: objectStoreConfig,
    open: async (config, context) => {
      const { openObjectStore } = await import("./object-store.ts");
      return await openObjectStore(config, context);
    },
  }),
  defineVolumeSnapshotter({
    name,
    config: volumeSnapshotterConfig,
    open: async (config, context) => {
      const { openVolumeSnapshotter } = await import("./volume-snapshotter.ts");
      return await openVolumeSnapshotter(config, context);
    },
  }),
];
