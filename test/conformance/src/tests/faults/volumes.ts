import { expect } from "../../expect.ts";
import { refusalNames, refusalOf } from "../../network/store-refusals.ts";
import type { HttpFaultProxy } from "../../network/http-fault-proxy.ts";
import type { VolumeSnapshotterSession } from "../../plugin/volume-snapshotter-session.ts";
import type { VolumeTarget } from "../../target/target.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { assertMet, firstOnes, outcomeOf } from "./two-ways.ts";

const base = { kind: "VolumeSnapshotter", needs: ["volumes", "volume-network"] } as const;

/** The same for the API of volumes and snapshots. */
export const volumeFaultTests: readonly ConformanceTest[] = [
  {
    id: "faults/volumes/throttled",
    title: "a snapshot is created and deleted though the API throttles each request twice",
    rule: "survives-storms",
    ...base,
    run: async (t) => {
      const { snapshotter, proxy, volume } = await openThroughProxy(t);
      let count = 0;
      proxy.judge((request) => {
        count += 1;
        return count % 3 === 0 ? undefined : refusalOf(request, refusalNames.volumeThrottle);
      });

      const snapshotId = await snapshotter.createSnapshot(volume.volumeId, volume.volumeAz, {});
      t.ownSnapshot(await t.openVolumeSnapshotter(), snapshotId);

      assertMet(proxy);
      expect(snapshotId !== "", "the id of the snapshot is empty");
      await snapshotter.deleteSnapshot(snapshotId);
    },
  },
  {
    id: "faults/volumes/cut",
    title: "a snapshot is created or an error though connections are cut before requests arrive",
    rule: "volume-cuts-are-errors",
    ...base,
    run: async (t) => {
      const { snapshotter, proxy, volume } = await openThroughProxy(t);
      const isMet = firstOnes(2, () => true);
      proxy.judge((request) => (isMet(request) ? { kind: "cut", direction: "up", at: 0 } : undefined));

      const created = snapshotter.createSnapshot(volume.volumeId, volume.volumeAz, {});
      const outcome = await outcomeOf(created);

      assertMet(proxy);
      expect(!snapshotter.session.hasExited, "the process ended");
      if (outcome !== "ok") return;
      const snapshotId = await created;
      expect(snapshotId !== "", "the id of the snapshot is empty");
      t.ownSnapshot(await t.openVolumeSnapshotter(), snapshotId);
    },
  },
  {
    id: "faults/volumes/denied-delete",
    title: "the deletion of a snapshot that the API denies is an error",
    rule: "volume-cuts-are-errors",
    ...base,
    run: async (t) => {
      const { snapshotter, proxy, volume } = await openThroughProxy(t);
      const snapshotId = await snapshotter.createSnapshot(volume.volumeId, volume.volumeAz, {});
      t.ownSnapshot(await t.openVolumeSnapshotter(), snapshotId);
      proxy.judge((request) => refusalOf(request, refusalNames.volumeDenied));

      const outcome = await outcomeOf(snapshotter.deleteSnapshot(snapshotId));

      assertMet(proxy);
      expect(outcome !== "ok", "a deletion that was denied succeeded");
    },
  },
  {
    id: "faults/volumes/for-ever",
    title: "creating and deleting a snapshot end in errors when the API answers 503 for good",
    rule: "refusals-end",
    ...base,
    isSlow: true,
    timeoutMs: 300_000,
    run: async (t) => {
      const { snapshotter, proxy, volume } = await openThroughProxy(t);
      const snapshotId = await snapshotter.createSnapshot(volume.volumeId, volume.volumeAz, {});
      t.ownSnapshot(await t.openVolumeSnapshotter(), snapshotId);
      proxy.judge((request) => refusalOf(request, refusalNames.volumeThrottle));

      const outcomes = await Promise.all([
        outcomeOf(snapshotter.createSnapshot(volume.volumeId, volume.volumeAz, {})),
        outcomeOf(snapshotter.deleteSnapshot(snapshotId)),
        outcomeOf(snapshotter.getVolumeInfo(volume.volumeId, volume.volumeAz)),
      ]);

      expect(!outcomes.includes("ok"), "a call succeeded though the API refused every request");
    },
  },
];

interface FaultyVolumes {
  readonly snapshotter: VolumeSnapshotterSession;
  readonly proxy: HttpFaultProxy;
  readonly volume: VolumeTarget;
}

async function openThroughProxy(t: TestContext): Promise<FaultyVolumes> {
  const { proxy, config, env } = await t.startHttpProxy("VolumeSnapshotter");
  const snapshotter = await t.openVolumeSnapshotter({ config, env, mayWarn: true });
  return { snapshotter, proxy, volume: t.fact(t.volumeTarget.volumes?.[0], "volumes") };
}
