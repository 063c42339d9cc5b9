import { expect, expectEqual, expectError } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import { ownForms, persistentVolume } from "./persistent-volume.ts";
import { firstVolume, restoreVolume, takeSnapshot, volumesOf } from "./volumes.ts";

const common = { kind: "VolumeSnapshotter", needs: ["volumes", "volume-restore"] } as const;

/** Volumes made from snapshots. They stay behind: the protocol cannot delete a volume. */
export const restoreTests: readonly ConformanceTest[] = [
  {
    ...common,
    id: "volume-snapshotter/restore/makes-a-new-volume",
    title: "a snapshot becomes a new volume of the recorded type",
    rule: "restores-volumes",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      for (const volume of volumesOf(t)) {
        const { volumeId, volumeAz } = volume;
        const before = await snapshotter.getVolumeInfo(volumeId, volumeAz);
        const snapshotId = await takeSnapshot(t, snapshotter, volume);
        const restored = await restoreVolume(t, snapshotter, { snapshotId, volumeAz, ...before });
        expect(restored !== "" && restored !== volumeId, `the restored volume of ${volumeId} is "${restored}"`);
        const after = await snapshotter.getVolumeInfo(restored, volumeAz);
        expectEqual(after.volumeType, before.volumeType, `the type of the volume restored from ${volumeId}`);
        expectEqual(after.iops, before.iops, `the IOPS of the volume restored from ${volumeId}`);
      }
    },
  },
  {
    ...common,
    id: "volume-snapshotter/restore/twice",
    title: "one snapshot restored twice becomes two volumes",
    rule: "restores-volumes",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      const { volumeId, volumeAz } = firstVolume(t);
      const { volumeType, iops } = await snapshotter.getVolumeInfo(volumeId, volumeAz);
      const snapshotId = await takeSnapshot(t, snapshotter);
      const request = { snapshotId, volumeType, volumeAz, iops };
      const first = await restoreVolume(t, snapshotter, request);
      const second = await restoreVolume(t, snapshotter, request);
      expect(first !== second, `both restores are the volume ${first}`);
    },
  },
  {
    ...common,
    id: "volume-snapshotter/restore/not-after-deletion",
    title: "a deleted snapshot can no longer be restored",
    rule: "deletes-snapshots",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      const { volumeId, volumeAz } = firstVolume(t);
      const { volumeType, iops } = await snapshotter.getVolumeInfo(volumeId, volumeAz);
      const snapshotId = await takeSnapshot(t, snapshotter);
      await snapshotter.deleteSnapshot(snapshotId);
      const request = { snapshotId, volumeType, volumeAz, iops };
      await expectError(snapshotter.createVolumeFromSnapshot(request), `restoring the deleted ${snapshotId}`);
    },
  },
  {
    ...common,
    id: "volume-snapshotter/restore/into-a-persistent-volume",
    title: "the restored volume's id is what its PersistentVolume names after SetVolumeID",
    rule: "set-is-found-again",
    needs: ["volumes", "volume-restore", "persistent-volumes"],
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      const volume = firstVolume(t);
      const { volumeType, iops } = await snapshotter.getVolumeInfo(volume.volumeId, volume.volumeAz);
      const snapshotId = await takeSnapshot(t, snapshotter, volume);
      const restored = await restoreVolume(t, snapshotter, { snapshotId, volumeAz: volume.volumeAz, volumeType, iops });
      for (const form of ownForms(t)) {
        const text = await snapshotter.setVolumeId(persistentVolume(form), restored);
        expectEqual(await snapshotter.getVolumeId(text), restored, `the id of the restored ${form.form}`);
      }
    },
  },
];
