import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { failureOf } from "./bytes.ts";
import { until } from "./until.ts";
import { startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig({ pendingMs: 1000 });
after(() => rig.close());
const slowRig = await startVolumeRig({ pendingMs: 3_600_000 });
after(() => slowRig.close());

const zone = "us-east-1a";
const tags = { "velero.io/backup": "nightly" };
const waiting = { wait: "completed", waitTimeout: "60s" };

describe("wait: completed", { concurrency: true, timeout: 240_000 }, () => {
  test("a snapshot that ends in error fails the backup with the reason and is removed", async () => {
    const snapshotter = await rig.open({ config: waiting });
    const volumeId = rig.addVolume();
    rig.ec2.failNextSnapshot(volumeId, "the KMS key is denied");

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

    assert.match(error.message, /the KMS key is denied/);
    assert.deepEqual(await rig.snapshotsOf(volumeId), []);
  });

  test("a snapshot is answered once it is completed", async () => {
    const snapshotter = await rig.open({ config: waiting });
    const volumeId = rig.addVolume();

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    assert.equal((await snapshotter.describeSnapshot(snapshotId)).state, "completed");
  });

  test("a volume is answered once it is available", async () => {
    const snapshotter = await rig.open({ config: waiting });
    const volumeId = rig.addVolume();
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    const request = { snapshotId, volumeType: "gp3", volumeAz: zone, iops: undefined };

    const restoredId = await snapshotter.createVolumeFromSnapshot(request);

    assert.equal((await rig.describeVolume(restoredId)).State, "available");
  });
});

describe("a cloud that takes its time", { concurrency: true, timeout: 240_000 }, () => {
  test("a snapshot that is not ready in time fails and is removed", async () => {
    const snapshotter = await slowRig.open({ config: { ...waiting, waitTimeout: "200ms" }, session: slowRig.start() });
    const volumeId = slowRig.addVolume();

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

    assert.equal(error.kind, "timeout");
    assert.match(error.message, /snap-/);
    assert.deepEqual(await slowRig.snapshotsOf(volumeId), []);
  });

  test("a cancelled wait removes the snapshot", async () => {
    const snapshotter = await slowRig.open({ config: waiting, session: slowRig.start() });
    const volumeId = slowRig.addVolume();
    const cancelling = new AbortController();
    const request = { volumeId, volumeAz: zone, tags };
    const creating = failureOf(snapshotter.createSnapshot(request, { signal: cancelling.signal }));
    await until("the snapshot was requested", async () => (await slowRig.snapshotsOf(volumeId)).length > 0);

    cancelling.abort();
    await creating;

    await until("the snapshot was removed", async () => (await slowRig.snapshotsOf(volumeId)).length === 0);
  });

  test("without wait the id is answered while the snapshot is still pending", async () => {
    const snapshotter = await slowRig.open();
    const volumeId = slowRig.addVolume();

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    const described = await snapshotter.describeSnapshot(snapshotId);
    assert.equal(described.state, "pending");
    assert.equal(described.volumeId, volumeId);
    assert.equal(described.volumeSizeBytes, 1024n ** 3n);
    assert.equal(described.tags["velero.io/backup"], "nightly");
  });
});
