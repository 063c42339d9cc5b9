#!/usr/bin/env node
import { copyKeys, defineObjectStore, defineVolumeSnapshotter, oneOf, text } from "../plugin/index.ts";
import { serve } from "../server/index.ts";
import { fixtureFaults, withFault } from "./fixture-faults.ts";
import { MemoryObjectStore } from "./memory-object-store.ts";
import { copyTarget, MemorySnapshotCopier, snapshotOrigin } from "./memory-snapshot-copier.ts";
import { MemoryVolumeSnapshotter } from "./memory-volume-snapshotter.ts";

// A plugin that keeps everything in memory, for tests that need a real process. Each location has a store of its own
// that holds the one bucket it names.
// Object.keys forgets the literal types of its argument's keys.
const faults = Object.keys(fixtureFaults) as (keyof typeof fixtureFaults)[];

void serve({
  name: "flotilla-plugin-fixture",
  version: "0.0.0-fixture",
  implementations: [
    defineObjectStore({
      name: "velero.io/fixture",
      config: {
        keys: {
          bucket: text("The bucket.", { required: true, origin: "server" }),
          prefix: text("The prefix.", { origin: "server" }),
          caCert: text("Accepted without effect.", { origin: "server" }),
          credentialsFile: text("Accepted without effect.", { origin: "server" }),
          fault: oneOf("How the store misbehaves.", faults, { fallback: "none" }),
          journal: text("A file that receives a line per event."),
        },
      },
      open: async ({ bucket, fault, journal }) =>
        await Promise.resolve(withFault(new MemoryObjectStore([bucket]), fault, journal)),
    }),
    defineVolumeSnapshotter({
      name: "velero.io/fixture",
      config: {
        keys: {
          region: text("The region, which all ids begin with.", { fallback: "here" }),
          credentialsFile: text("Accepted without effect.", { origin: "server" }),
          copyToRegions: copyKeys([]).copyToRegions,
        },
      },
      open: async ({ region, copyToRegions }) => {
        const snapshotter = new MemoryVolumeSnapshotter(region, 2);
        const targets = copyToRegions.map((target) => copyTarget(target));
        const origins = () => snapshotter.snapshotIds.map((snapshotId) => snapshotOrigin({ snapshotId }));
        return await Promise.resolve(
          Object.assign(snapshotter, { copies: new MemorySnapshotCopier({ region, targets, origins }) }),
        );
      },
    }),
  ],
});
