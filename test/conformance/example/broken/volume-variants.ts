import { isJsonObject, PluginError } from "@flotilla/sdk/plugin";
import type { PersistentVolume, VolumeSnapshotter } from "@flotilla/sdk/plugin";
import { csiVolumeOf } from "@flotilla/sdk/volumes";

import type { Variant } from "./variant.ts";

const opening: readonly Variant[] = [
  {
    name: "takes-unknown-keys-of-volumes",
    breaks: "unknown keys of a VolumeSnapshotLocation are ignored",
    caughtBy: "volume-snapshotter/init/refuses-an-unknown-key",
    config: ({ region = "", bucket = "" }) => (bucket === "" ? { region } : { bucket }),
  },
  {
    name: "takes-any-region",
    breaks: "a region that there is not is taken for another one",
    caughtBy: "volume-snapshotter/init/refuses-wrong-values",
    config: (config) => (config["region"] === "elsewhere" ? { ...config, region: "here" } : config),
  },
];

const identifying: readonly Variant[] = [
  {
    name: "fails-on-foreign-volumes",
    breaks: "a PersistentVolume of another driver is an error",
    caughtBy: "volume-snapshotter/volume-ids/leaves-others",
    volumes: (snapshotter) => ({
      getVolumeId: async (volume, call) => {
        const volumeId = await snapshotter.getVolumeId(volume, call);
        if (volumeId === "") throw new PluginError("no volume of this driver", { kind: "invalid-argument" });
        return volumeId;
      },
    }),
  },
  {
    name: "claims-foreign-volumes",
    breaks: "the volume of every CSI driver is taken for its own",
    caughtBy: "volume-snapshotter/volume-ids/leaves-others",
    volumes: () => ({ getVolumeId: async (volume) => await Promise.resolve(csiVolumeOf(volume)?.volumeHandle ?? "") }),
  },
  {
    name: "finds-no-volume",
    breaks: "no PersistentVolume is its own",
    caughtBy: "volume-snapshotter/volume-ids/finds-every-form",
    volumes: () => ({ getVolumeId: async () => await Promise.resolve("") }),
  },
  {
    name: "sets-nothing",
    breaks: "SetVolumeID answers what came",
    caughtBy: "volume-snapshotter/volume-ids/sets-every-form",
    volumes: () => ({ setVolumeId: async (volume) => await Promise.resolve(volume) }),
  },
  {
    name: "forgets-the-kind",
    breaks: "SetVolumeID answers an object without kind",
    caughtBy: "volume-snapshotter/volume-ids/answers-a-whole-object",
    volumes: setting(({ kind: _kind, ...volume }) => volume),
  },
  {
    name: "forgets-annotations",
    breaks: "SetVolumeID drops the annotations",
    caughtBy: "volume-snapshotter/volume-ids/keeps-known-fields",
    volumes: setting((volume) => ({ ...volume, metadata: without(volume, "metadata", "annotations") })),
  },
  {
    name: "forgets-unknown-fields",
    breaks: "SetVolumeID drops the fields that its types do not know",
    caughtBy: "volume-snapshotter/volume-ids/keeps-unknown-fields",
    volumes: setting((volume) => ({ ...volume, spec: without(volume, "spec", "futureField") })),
  },
  {
    name: "rounds-numbers",
    breaks: "SetVolumeID passes numbers through doubles",
    caughtBy: "volume-snapshotter/volume-ids/keeps-large-numbers",
    // What JSON.parse makes of it is a PersistentVolume again.
    volumes: setting((volume) => JSON.parse(JSON.stringify(volume)) as PersistentVolume),
  },
  {
    name: "adds-fields",
    breaks: "SetVolumeID adds the empty fields of its types",
    caughtBy: "volume-snapshotter/volume-ids/adds-nothing",
    volumes: setting((volume) => ({ ...volume, status: {} })),
  },
  {
    name: "writes-another-form",
    breaks: "SetVolumeID writes ids in a form that GetVolumeID does not know",
    caughtBy: "volume-snapshotter/volume-ids/finds-its-own-writing",
    volumes: (snapshotter) => ({
      setVolumeId: async (volume, volumeId, call) => await snapshotter.setVolumeId(volume, `disk/${volumeId}`, call),
    }),
  },
];

const snapshotting: readonly Variant[] = [
  {
    name: "gives-one-snapshot-id",
    breaks: "every snapshot has the same id",
    caughtBy: "volume-snapshotter/snapshots/creates",
    volumes: () => ({ createSnapshot: async () => await Promise.resolve("snapshot") }),
  },
  {
    name: "refuses-empty-labels",
    breaks: "a label without a value makes a snapshot fail",
    caughtBy: "volume-snapshotter/snapshots/takes-a-backups-labels",
    volumes: (snapshotter) => ({
      createSnapshot: async (request, call) => {
        if (Object.values(request.tags).includes(""))
          throw new PluginError("a tag has no value", { kind: "invalid-argument" });
        return await snapshotter.createSnapshot(request, call);
      },
    }),
  },
  {
    name: "needs-a-zone",
    breaks: "a volume without a zone cannot be snapshotted",
    caughtBy: "volume-snapshotter/snapshots/works-without-a-zone",
    volumes: (snapshotter) => ({
      createSnapshot: async (request, call) => {
        if (request.volumeAz === "") throw new PluginError("the zone is empty", { kind: "invalid-argument" });
        return await snapshotter.createSnapshot(request, call);
      },
    }),
  },
  {
    name: "forgets-types",
    breaks: "GetVolumeInfo answers no type",
    caughtBy: "volume-snapshotter/snapshots/describes-the-volume",
    volumes: () => ({ getVolumeInfo: async () => await Promise.resolve({ volumeType: "", iops: undefined }) }),
  },
  {
    name: "snapshots-unknown-volumes",
    breaks: "a snapshot of a volume that does not exist succeeds",
    caughtBy: "volume-snapshotter/snapshots/unknown-volume",
    volumes: () => ({ createSnapshot: async () => await Promise.resolve("here-snapshot-of-nothing") }),
  },
  {
    name: "restores-unknown-snapshots",
    breaks: "restoring a snapshot that does not exist makes an empty volume",
    caughtBy: "volume-snapshotter/snapshots/unknown-snapshot",
    volumes: () => ({ createVolumeFromSnapshot: async () => await Promise.resolve("here-volume-1") }),
  },
  {
    name: "deletes-snapshots-once",
    breaks: "deleting a snapshot that is gone is an error",
    caughtBy: "volume-snapshotter/snapshots/deletes-twice",
    volumes: failingForUnknown(),
  },
  {
    name: "deletes-known-snapshots-only",
    breaks: "deleting a snapshot that never was is an error",
    caughtBy: "volume-snapshotter/snapshots/deletes-unknown",
    volumes: failingForUnknown(),
  },
  {
    name: "deletes-no-snapshots",
    breaks: "deleting a snapshot has no effect",
    caughtBy: "volume-snapshotter/restore/not-after-deletion",
    volumes: () => ({ deleteSnapshot: async () => await Promise.resolve() }),
  },
  {
    name: "restores-into-the-old-volume",
    breaks: "a restore answers the volume that was snapshotted",
    caughtBy: "volume-snapshotter/restore/makes-a-new-volume",
    volumes: () => ({ createVolumeFromSnapshot: async () => await Promise.resolve("here-volume-1") }),
  },
  {
    name: "restores-one-volume",
    breaks: "every restore of a snapshot answers the same volume",
    caughtBy: "volume-snapshotter/restore/twice",
    volumes: restoringOnce(),
  },
  {
    name: "knows-the-last-location-only",
    breaks: "a volume of another location is refused instead of looked for there",
    caughtBy: "volume-snapshotter/locations/describes-in-both",
    volumes: (snapshotter, region) => ({
      getVolumeInfo: async (volume, call) => {
        if (volume.volumeId.startsWith(region)) return await snapshotter.getVolumeInfo(volume, call);
        throw new PluginError("the volume is of another region", { kind: "invalid-argument" });
      },
    }),
  },
  {
    name: "takes-other-locations-snapshots-for-gone",
    breaks: "deleting a snapshot of another location succeeds without an effect",
    caughtBy: "volume-snapshotter/locations/snapshots-in-both",
    volumes: (snapshotter, region) => ({
      deleteSnapshot: async (snapshotId, call) => {
        if (snapshotId.startsWith(region)) await snapshotter.deleteSnapshot(snapshotId, call);
      },
    }),
  },
];

/** Volume snapshotters that lose, mix up or leave behind. */
export const volumeVariants: readonly Variant[] = [...opening, ...identifying, ...snapshotting];

function setting(change: (volume: PersistentVolume) => PersistentVolume): NonNullable<Variant["volumes"]> {
  return (snapshotter) => ({
    setVolumeId: async (volume, volumeId, call) => change(await snapshotter.setVolumeId(volume, volumeId, call)),
  });
}

function without(volume: PersistentVolume, part: string, field: string): PersistentVolume {
  const whole = volume[part];
  return Object.fromEntries(Object.entries(isJsonObject(whole) ? whole : {}).filter(([name]) => name !== field));
}

function failingForUnknown(): (snapshotter: VolumeSnapshotter) => Partial<VolumeSnapshotter> {
  return (snapshotter) => ({
    deleteSnapshot: async (snapshotId, call) => {
      try {
        await snapshotter.deleteSnapshot(snapshotId, call);
      } catch (cause) {
        throw new PluginError("the snapshot is gone already", { kind: "conflict", cause });
      }
    },
  });
}

function restoringOnce(): NonNullable<Variant["volumes"]> {
  const restored = new Map<string, string>();
  return (snapshotter) => ({
    createVolumeFromSnapshot: async (request, call) => {
      const volumeId = restored.get(request.snapshotId) ?? (await snapshotter.createVolumeFromSnapshot(request, call));
      restored.set(request.snapshotId, volumeId);
      return volumeId;
    },
  });
}
