import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { VolumeSnapshotterClient } from "@flotilla/host";

import { failureOf } from "./bytes.ts";
import type { Session } from "./harness.ts";
import { startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig({ regions: ["us-east-1", "eu-west-1"] });
after(() => rig.close());

const [near, far] = ["us-east-1", "eu-west-1"] as const;

/** Opens both regions in one process, in this order: the last one is the newest. */
async function openBoth(session: Session): Promise<readonly [VolumeSnapshotterClient, VolumeSnapshotterClient]> {
  const first = await rig.open({ session, config: { region: near } });
  return [first, await rig.open({ session, config: { region: far } })];
}

async function snapshot(snapshotter: VolumeSnapshotterClient, volumeId: string, region: string): Promise<string> {
  return await snapshotter.createSnapshot({ volumeId, volumeAz: `${region}a`, tags: { "velero.io/backup": "b" } });
}

describe("two VolumeSnapshotLocations of one name in one process", { concurrency: true }, () => {
  test("a snapshot of the region that was opened first is deleted there and does not leak", async () => {
    const session = rig.start();
    const first = await rig.open({ session, config: { region: near } });
    const volumeId = rig.addVolume({ zone: `${near}a` });
    const snapshotId = await snapshot(first, volumeId, near);
    const last = await rig.open({ session, config: { region: far } });

    await last.deleteSnapshot(snapshotId);

    assert.deepEqual(await rig.snapshotsOf(volumeId, near), []);
  });

  test("a volume is snapshotted in its own region, whichever location was opened last", async () => {
    const [first] = await openBoth(rig.start());
    const volumeId = rig.addVolume({ zone: `${near}a` });

    const snapshotId = await snapshot(first, volumeId, near);

    const found = await rig.snapshotsOf(volumeId, near);
    assert.deepEqual(
      found.map(({ SnapshotId }) => SnapshotId),
      [snapshotId],
    );
  });

  test("volumes of both regions are looked up, interleaved", async () => {
    const [first, last] = await openBoth(rig.start());
    const ids = [
      rig.addVolume({ type: "gp3", zone: `${near}a` }),
      rig.addVolume({ type: "io1", iops: 100, sizeGiB: 10, zone: `${far}a` }),
    ];

    const types = await Promise.all(
      [first, last, first, last].map(async (snapshotter, index) => {
        const info = await snapshotter.getVolumeInfo({ volumeId: ids[index % 2] ?? "", volumeAz: "" });
        return info.volumeType;
      }),
    );

    assert.deepEqual(types, ["gp3", "io1", "gp3", "io1"]);
  });

  test("a volume is restored in the region of its snapshot", async () => {
    const [first] = await openBoth(rig.start());
    const volumeId = rig.addVolume({ zone: `${near}a` });
    const snapshotId = await snapshot(first, volumeId, near);
    const request = { snapshotId, volumeType: "gp2", volumeAz: `${near}a`, iops: undefined };

    const restoredId = await first.createVolumeFromSnapshot(request);

    assert.equal((await rig.describeVolume(restoredId, near)).AvailabilityZone, `${near}a`);
  });

  test("a snapshot that no location knows is deleted with success", async () => {
    const [, last] = await openBoth(rig.start());

    await last.deleteSnapshot("snap-0123456789abcdef0");
  });

  test("a snapshot that one location does not know and the other denies is not taken for deleted", async () => {
    const denied = { accessKeyId: "AKIADENIED", secretAccessKey: "denied", deny: ["ec2:DeleteSnapshot"] };
    rig.accounts.add(denied);
    const session = rig.start();
    const first = await rig.open({ session, account: denied, config: { region: near } });
    const volumeId = rig.addVolume({ zone: `${near}a` });
    const snapshotId = await snapshot(first, volumeId, near);
    const last = await rig.open({ session, config: { region: far } });

    assert.equal((await failureOf(last.deleteSnapshot(snapshotId))).kind, "denied");
    assert.equal((await rig.snapshotsOf(volumeId, near)).length, 1);
  });
});
