import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { Account } from "@flotilla/test/emulators";

import { absenceWords } from "./absence.ts";
import { failureOf } from "./bytes.ts";
import { startVolumeRig, tagsOf } from "./volume-rig.ts";

const rig = await startVolumeRig();
after(() => rig.close());

const zone = "us-east-1a";
const backupTags = { "velero.io/backup": "nightly", "velero.io/pv": "pv-1" };

function accountOf(name: string, rights: Partial<Account>): Account {
  const account = { accessKeyId: `AKIA${name}`, secretAccessKey: `${name}-secret`, ...rights };
  rig.accounts.add(account);
  return account;
}

describe("volumes and snapshots that fail", { concurrency: true }, () => {
  test("a location without a region is refused, together with its other faults", async () => {
    const config = { region: "", wait: "sometimes", Endpoint: "http://127.0.0.1" };

    const error = await failureOf(rig.open({ config }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /region is missing/);
    assert.match(error.message, /wait/);
    assert.match(error.message, /did you mean endpoint/);
  });

  test("an unknown volume is not found, by name", async () => {
    const snapshotter = await rig.open();

    const error = await failureOf(snapshotter.getVolumeInfo({ volumeId: "vol-0123456789abcdef0", volumeAz: zone }));

    assert.equal(error.kind, "not-found");
    assert.match(error.message, /vol-0123456789abcdef0/);
  });

  test("a snapshot of an unknown volume is not made", async () => {
    const snapshotter = await rig.open();
    const request = { volumeId: "vol-0123456789abcdef1", volumeAz: zone, tags: backupTags };

    assert.equal((await failureOf(snapshotter.createSnapshot(request))).kind, "not-found");
  });

  test("a volume of an unknown snapshot is not made", async () => {
    const snapshotter = await rig.open();
    const request = { snapshotId: "snap-0123456789abcdef0", volumeType: "gp3", volumeAz: zone, iops: undefined };

    assert.equal((await failureOf(snapshotter.createVolumeFromSnapshot(request))).kind, "not-found");
  });

  test("a denied snapshot names the permission to grant", async () => {
    const account = accountOf("NOSNAP", { deny: ["ec2:CreateSnapshot"] });
    const snapshotter = await rig.open({ account, session: rig.start() });
    const volumeId = rig.addVolume();

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags }));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /ec2:CreateSnapshot/);
    assert.doesNotMatch(error.message, absenceWords);
    assert.deepEqual(await rig.snapshotsOf(volumeId), []);
  });

  test("a denied deletion is an error and no success", async () => {
    const account = accountOf("NODELETE", { deny: ["ec2:DeleteSnapshot"] });
    const snapshotter = await rig.open({ account, session: rig.start() });
    const volumeId = rig.addVolume();
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });

    assert.equal((await failureOf(snapshotter.deleteSnapshot(snapshotId))).kind, "denied");
  });

  test("a snapshot that an image is made of is held and not deleted", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addVolume();
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });
    rig.ec2.useSnapshotInImage("us-east-1", snapshotId, "ami-0123456789abcdef0");

    const error = await failureOf(snapshotter.deleteSnapshot(snapshotId));

    assert.equal(error.kind, "held");
    assert.match(error.message, new RegExp(snapshotId));
  });

  test("a wrong secret is denied without telling it", async () => {
    const account = { accessKeyId: "AKIAOWNER", secretAccessKey: "not-the-secret" };
    const config = { credentialsFile: await rig.writeCredentials("wrong-secret", account) };
    const snapshotter = await rig.open({ config, session: rig.start() });

    const error = await failureOf(snapshotter.getVolumeInfo({ volumeId: "vol-0123456789abcdef2", volumeAz: zone }));

    assert.equal(error.kind, "denied");
    assert.doesNotMatch(error.message, /not-the-secret/);
  });

  test("a snapshot whose answer is lost is made once", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addVolume();
    const where = (facts: { readonly query: ReadonlyMap<string, string> }) => facts.query.get("VolumeId") === volumeId;
    const lost = rig.ec2.faults.add({ kind: "lose-response" }, { operation: "CreateSnapshot", where });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });

    assert.equal(lost.hits, 1);
    assert.deepEqual(
      (await rig.snapshotsOf(volumeId)).map((snapshot) => snapshot.SnapshotId),
      [snapshotId],
    );
  });

  test("throttled requests are made again", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addVolume();
    const where = (facts: { readonly query: ReadonlyMap<string, string> }) =>
      facts.query.get("VolumeId.1") === volumeId;
    const fault = { kind: "error", status: 503, code: "RequestLimitExceeded" } as const;
    const storm = rig.ec2.faults.add(fault, { operation: "DescribeVolumes", where }, { times: 3 });

    const { volumeType } = await snapshotter.getVolumeInfo({ volumeId, volumeAz: zone });

    assert.equal(storm.hits, 3);
    assert.notEqual(volumeType, "");
  });
});

describe("snapshots", { concurrency: true }, () => {
  test("deleting an unknown snapshot succeeds, as the server expects", async () => {
    const snapshotter = await rig.open();

    await snapshotter.deleteSnapshot("snap-0123456789abcdef1");
  });

  test("deleting a snapshot twice succeeds twice", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addVolume();
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });

    await snapshotter.deleteSnapshot(snapshotId);
    await snapshotter.deleteSnapshot(snapshotId);

    assert.deepEqual(await rig.snapshotsOf(volumeId), []);
  });

  test("a snapshot's id has the official form", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addVolume();

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });

    assert.match(snapshotId, /^snap-[0-9a-f]+$/);
  });

  test("a snapshot carries the server's tags and the volume's, the server's first where they differ", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addVolume({ tags: { team: "storage", "velero.io/backup": "of the volume" } });

    await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });

    const [snapshot = {}] = await rig.snapshotsOf(volumeId);
    const found = tagsOf(snapshot);
    assert.equal(found["team"], "storage");
    assert.equal(found["velero.io/backup"], "nightly");
    assert.equal(found["velero.io/pv"], "pv-1");
  });

  test("a volume's reserved aws: tags are not copied, since EC2 would refuse them", async () => {
    const snapshotter = await rig.open();
    const tags = { "aws:cloudformation:stack-name": "stack", team: "storage" };
    const volumeId = rig.addVolume({ tags });

    await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });

    const [snapshot = {}] = await rig.snapshotsOf(volumeId);
    assert.deepEqual(
      Object.keys(tagsOf(snapshot)).filter((name) => name.startsWith("aws:")),
      [],
    );
    assert.equal(tagsOf(snapshot)["team"], "storage");
  });

  test("describing an unknown snapshot says that it is not found", async () => {
    const snapshotter = await rig.open();

    assert.equal((await failureOf(snapshotter.describeSnapshot("snap-0123456789abcdef2"))).kind, "not-found");
  });
});

describe("restored volumes", { concurrency: true }, () => {
  for (const [volumeType, iops, throughput] of [
    ["gp3", 4000, 300],
    ["io2", 2000, undefined],
    ["gp2", undefined, undefined],
  ] as const) {
    test(`a ${volumeType} volume comes back with its type, its IOPS and its throughput`, async () => {
      const snapshotter = await rig.open();
      const volumeId = rig.addVolume({
        type: volumeType,
        sizeGiB: 100,
        ...(iops && { iops }),
        ...(throughput && { throughput }),
      });
      const info = await snapshotter.getVolumeInfo({ volumeId, volumeAz: zone });
      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });

      const restoredId = await snapshotter.createVolumeFromSnapshot({ snapshotId, volumeAz: zone, ...info });

      const restored = await rig.describeVolume(restoredId);
      assert.equal(restored.VolumeType, volumeType);
      assert.equal(restored.SnapshotId, snapshotId);
      if (iops !== undefined) assert.equal(restored.Iops, iops);
      if (throughput !== undefined) assert.equal(restored.Throughput, throughput);
      assert.deepEqual(info.iops, iops === undefined ? undefined : BigInt(iops));
    });
  }

  test("an official backup's gp3 volume, without marks or IOPS, is restored as the official plugin would", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addVolume({ type: "gp2", sizeGiB: 10 });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });
    const request = { snapshotId, volumeType: "gp3", volumeAz: zone, iops: undefined };

    const restored = await rig.describeVolume(await snapshotter.createVolumeFromSnapshot(request));

    assert.deepEqual([restored.VolumeType, restored.Iops, restored.Throughput], ["gp3", 3000, 125]);
  });

  test("a throughput that the official plugin copied from an older snapshot is not asked for without IOPS", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addVolume({ type: "gp2", sizeGiB: 10 });
    const tags = { ...backupTags, "flotilla.io/throughput": "1000" };
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    const request = { snapshotId, volumeType: "gp3", volumeAz: zone, iops: undefined };

    const restored = await rig.describeVolume(await snapshotter.createVolumeFromSnapshot(request));

    assert.deepEqual([restored.Iops, restored.Throughput], [3000, 125]);
  });

  test("the snapshot's tags come with it, our own marks do not", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addVolume({ type: "gp3", throughput: 200, tags: { team: "storage" } });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });
    const request = { snapshotId, volumeType: "gp3", volumeAz: zone, iops: undefined };

    const restored = tagsOf(await rig.describeVolume(await snapshotter.createVolumeFromSnapshot(request)));

    assert.deepEqual(restored, { team: "storage", ...backupTags });
  });

  test("with AWS_CLUSTER_NAME the tags of ownership become this cluster's", async () => {
    const snapshotter = await rig.open({ session: rig.start({ AWS_CLUSTER_NAME: "blue" }) });
    const tags = { "kubernetes.io/cluster/green": "owned", KubernetesCluster: "green", team: "storage" };
    const volumeId = rig.addVolume({ tags });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: {} });
    const request = { snapshotId, volumeType: "gp2", volumeAz: zone, iops: undefined };

    const restored = tagsOf(await rig.describeVolume(await snapshotter.createVolumeFromSnapshot(request)));

    assert.deepEqual(restored, {
      KubernetesCluster: "blue",
      "kubernetes.io/cluster/blue": "owned",
      team: "storage",
    });
  });

  test("ebsKmsKeyId encrypts the restored volume with that key", async () => {
    const kmsKeyId = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    const snapshotter = await rig.open({ config: { ebsKmsKeyId: kmsKeyId }, session: rig.start() });
    const volumeId = rig.addVolume();
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });
    const request = { snapshotId, volumeType: "gp2", volumeAz: zone, iops: undefined };

    const restored = await rig.describeVolume(await snapshotter.createVolumeFromSnapshot(request));

    assert.equal(restored.Encrypted, true);
    assert.equal(restored.KmsKeyId, kmsKeyId);
  });

  test("a volume of an encrypted snapshot is encrypted", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addVolume({ isEncrypted: true });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: backupTags });
    const request = { snapshotId, volumeType: "gp2", volumeAz: zone, iops: undefined };

    const restored = await rig.describeVolume(await snapshotter.createVolumeFromSnapshot(request));

    assert.equal(restored.Encrypted, true);
  });
});
