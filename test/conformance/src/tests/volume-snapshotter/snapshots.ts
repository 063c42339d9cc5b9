import { expect, expectEqual, expectError } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import { ownForms, persistentVolume } from "./persistent-volume.ts";
import { firstVolume, serverTags, takeSnapshot, volumesOf } from "./volumes.ts";

const common = { kind: "VolumeSnapshotter", needs: ["volumes"] } as const;

/** Labels in the forms that Kubernetes allows. */
const oddLabels = {
  "velero.io/storage-location": "default",
  "example.com/With.Dots-and_underscores": "Value.with-dots_and-more",
  empty: "",
  "a.very.long.prefix.that.nobody.would.choose.but.which.is.allowed.example.com/name": "v".repeat(63),
};

/** Snapshots: made, described, deleted. */
export const snapshotTests: readonly ConformanceTest[] = [
  {
    ...common,
    id: "volume-snapshotter/snapshots/describes-the-volume",
    title: "the type of a volume is told",
    rule: "describes-volumes",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      for (const { volumeId, volumeAz, volumeType } of volumesOf(t)) {
        const info = await snapshotter.getVolumeInfo(volumeId, volumeAz);
        if (volumeType === undefined) expect(info.volumeType !== "", `the type of ${volumeId} is empty`);
        else expectEqual(info.volumeType, volumeType, `the type of ${volumeId}`);
      }
    },
  },
  {
    ...common,
    id: "volume-snapshotter/snapshots/creates",
    title: "a snapshot of a volume has an id, another one each time",
    rule: "creates-snapshots",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      const [first, second] = [await takeSnapshot(t, snapshotter), await takeSnapshot(t, snapshotter)];
      expect(first !== "" && second !== "", "the id of a snapshot is empty");
      expect(first !== second, `two snapshots have the id ${first}`);
    },
  },
  {
    ...common,
    id: "volume-snapshotter/snapshots/takes-a-backups-labels",
    title: "labels of a backup in every form that Kubernetes allows are taken as tags",
    rule: "takes-odd-tags",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      await takeSnapshot(t, snapshotter, firstVolume(t), { ...serverTags, ...oddLabels });
    },
  },
  {
    ...common,
    id: "volume-snapshotter/snapshots/works-without-a-zone",
    title: "a volume whose PersistentVolume names no zone is described and snapshotted",
    rule: "creates-snapshots",
    needs: ["volumes", "zoneless-volumes"],
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      const { volumeId } = firstVolume(t);
      // The server asks for the id first, and a PersistentVolume may tell more of its volume than that.
      const form = ownForms(t).find((own) => own.volumeId === volumeId && own.labels === undefined);
      if (form !== undefined) await snapshotter.getVolumeId(persistentVolume(form));
      await snapshotter.getVolumeInfo(volumeId, "");
      t.ownSnapshot(snapshotter, await snapshotter.createSnapshot(volumeId, "", serverTags));
    },
  },
  {
    ...common,
    id: "volume-snapshotter/snapshots/deletes",
    title: "a snapshot can be deleted",
    rule: "deletes-snapshots",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      await snapshotter.deleteSnapshot(await takeSnapshot(t, snapshotter));
    },
  },
  {
    ...common,
    id: "volume-snapshotter/snapshots/deletes-twice",
    title: "deleting a snapshot a second time succeeds",
    rule: "deletes-snapshots-twice",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      const snapshotId = await takeSnapshot(t, snapshotter);
      await snapshotter.deleteSnapshot(snapshotId);
      await snapshotter.deleteSnapshot(snapshotId);
    },
  },
  {
    kind: "VolumeSnapshotter",
    needs: ["unknown-volumes"],
    id: "volume-snapshotter/snapshots/deletes-unknown",
    title: "deleting a snapshot that never existed succeeds",
    rule: "deletes-snapshots-twice",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      await snapshotter.deleteSnapshot(t.fact(t.volumeTarget.missingSnapshotId, "missingSnapshotId"));
    },
  },
  {
    kind: "VolumeSnapshotter",
    needs: ["unknown-volumes"],
    id: "volume-snapshotter/snapshots/unknown-volume",
    title: "describing or snapshotting a volume that does not exist is an error",
    rule: "unknown-volume-is-an-error",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      const missing = t.fact(t.volumeTarget.missingVolumeId, "missingVolumeId");
      const zone = t.volumeTarget.volumes?.[0]?.volumeAz ?? "";
      await expectError(snapshotter.getVolumeInfo(missing, zone), `GetVolumeInfo of ${missing}`);
      await expectError(snapshotter.createSnapshot(missing, zone, serverTags), `CreateSnapshot of ${missing}`);
    },
  },
  {
    kind: "VolumeSnapshotter",
    needs: ["unknown-volumes"],
    id: "volume-snapshotter/snapshots/unknown-snapshot",
    title: "restoring a snapshot that does not exist is an error",
    rule: "unknown-snapshot-is-an-error",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      const snapshotId = t.fact(t.volumeTarget.missingSnapshotId, "missingSnapshotId");
      const { volumeType = "", volumeAz = "" } = t.volumeTarget.volumes?.[0] ?? {};
      const restore = snapshotter.createVolumeFromSnapshot({ snapshotId, volumeType, volumeAz, iops: 0n });
      await expectError(restore, `CreateVolumeFromSnapshot of ${snapshotId}`);
    },
  },
  {
    ...common,
    id: "volume-snapshotter/snapshots/denied",
    title: "a location whose credentials are refused fails when a volume is described",
    rule: "volume-denials-are-errors",
    needs: ["volumes", "authenticates-volumes"],
    run: async (t) => {
      const config = t.fact(t.volumeTarget.denied, "denied");
      const { volumeId, volumeAz } = firstVolume(t);
      const describe = async (): Promise<unknown> => {
        const snapshotter = await t.openVolumeSnapshotter({ config });
        return await snapshotter.getVolumeInfo(volumeId, volumeAz);
      };
      await expectError(describe(), "GetVolumeInfo with refused credentials");
    },
  },
];
