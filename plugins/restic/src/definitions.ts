import { defineObjectStore, defineVolumeSnapshotter, ownDomain } from "@flotilla/sdk/plugin";
import type { Definition } from "@flotilla/sdk/plugin";
import { objectStoreConfig } from "./config.ts";
import { volumeSnapshotterConfig } from "./volume-config.ts";

const name = `${ownDomain}/restic`;

/** What the executable registers. What drives restic is loaded by open. */
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
