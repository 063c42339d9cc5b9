import { expect, expectError } from "../../expect.ts";
import type { VolumeSnapshotterSession } from "../../plugin/volume-snapshotter-session.ts";
import type { VolumeTarget } from "../../target/target.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { firstVolume, restoreVolume, serverTags } from "./volumes.ts";

const common = {
  kind: "VolumeSnapshotter",
  needs: ["volumes", "second-volume-location"],
  rule: "volume-locations-interleave",
} as const;

/** Several locations of one provider in one process: requests carry the provider's name and nothing else. */
export const locationTests: readonly ConformanceTest[] = [
  {
    ...common,
    id: "volume-snapshotter/locations/describes-in-both",
    title: "volumes of both locations are described, whichever was opened last",
    run: async (t) => {
      const { snapshotter, volumes } = await openBoth(t);
      for (const { volumeId, volumeAz } of [...volumes, ...volumes.toReversed()])
        expect((await snapshotter.getVolumeInfo(volumeId, volumeAz)).volumeType !== "", `${volumeId} has no type`);
    },
  },
  {
    ...common,
    id: "volume-snapshotter/locations/snapshots-in-both",
    title: "volumes of both locations are snapshotted, and each snapshot is really deleted",
    run: async (t) => {
      const { snapshotter, volumes } = await openBoth(t);
      const snapshotIds: string[] = [];
      for (const { volumeId, volumeAz } of volumes) {
        const snapshotId = await snapshotter.createSnapshot(volumeId, volumeAz, serverTags);
        t.ownSnapshot(snapshotter, snapshotId);
        snapshotIds.push(snapshotId);
      }
      for (const snapshotId of snapshotIds) await snapshotter.deleteSnapshot(snapshotId);
      for (const [index, snapshotId] of snapshotIds.entries()) {
        const { volumeAz = "" } = volumes[index] ?? {};
        const restore = snapshotter.createVolumeFromSnapshot({ snapshotId, volumeType: "", volumeAz, iops: 0n });
        await expectError(restore, `restoring the deleted ${snapshotId}`);
      }
    },
  },
  {
    ...common,
    id: "volume-snapshotter/locations/deletes-the-earlier-ones-snapshot",
    title: "a snapshot of the location that was opened first is deleted there, not looked for in the other",
    needs: ["volumes", "second-volume-location", "volume-restore"],
    run: async (t) => {
      const alone = await t.openVolumeSnapshotter();
      const { volumeId, volumeAz } = firstVolume(t);
      const { volumeType, iops } = await alone.getVolumeInfo(volumeId, volumeAz);
      const snapshotId = await alone.createSnapshot(volumeId, volumeAz, serverTags);
      t.ownSnapshot(alone, snapshotId);
      await restoreVolume(t, alone, { snapshotId, volumeType, volumeAz, iops });

      const { snapshotter } = await openBoth(t);
      await snapshotter.deleteSnapshot(snapshotId);

      const restore = alone.createVolumeFromSnapshot({ snapshotId, volumeType, volumeAz, iops });
      await expectError(restore, `restoring ${snapshotId}, which was deleted while both locations were open`);
    },
  },
];

async function openBoth(
  t: TestContext,
): Promise<{ readonly snapshotter: VolumeSnapshotterSession; readonly volumes: readonly VolumeTarget[] }> {
  const session = await t.start();
  const snapshotter = await t.openVolumeSnapshotter({ session });
  await t.openVolumeSnapshotter({ session, config: t.fact(t.volumeTarget.second, "second") });
  const second = t.fact(t.volumeTarget.secondVolumes, "secondVolumes");
  return { snapshotter, volumes: [firstVolume(t), ...second] };
}
