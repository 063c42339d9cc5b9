import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { VolumeSnapshotterClient } from "@flotilla/host";
import type { PersistentVolume } from "@flotilla/sdk/plugin";

import { failureOf } from "./bytes.ts";
import { elsewhere, home, startCopiesRig, there } from "./snapshot-copies-rig.ts";
import type { CopiesRig } from "./snapshot-copies-rig.ts";
import { toldLines } from "./told-lines.ts";
import { tagsOf } from "./volume-rig.ts";

const rig = await startCopiesRig({ pendingMs: 1, missingTypes: { [there]: ["io2", "gp3"], [elsewhere]: ["io2"] } });
after(() => rig.close());
const slow = await startCopiesRig({ pendingMs: 1, copyMs: 3_600_000 });
after(() => slow.close());

/** A snapshot with a complete copy in the other region. */
async function copied(on: CopiesRig = rig, region: string = there, seed = {}) {
  const snapshotter = await on.open({ config: { copyToRegions: region }, session: on.start() });
  const snapshotId = await on.snapshot(snapshotter, "nightly", seed);
  const copyId = await snapshotter.copies.startCopy({ originId: snapshotId, region });
  return { snapshotter, snapshotId, copyId };
}

/** A cluster in the other region: it knows of no other. */
async function openThere(config: Readonly<Record<string, string>> = {}, session = rig.start()) {
  return await rig.open({ config: { region: there, ...config }, session });
}

function restore(snapshotter: VolumeSnapshotterClient, snapshotId: string, volumeType = "gp2", iops?: bigint) {
  return snapshotter.createVolumeFromSnapshot({ snapshotId, volumeType, volumeAz: `${home}a`, iops });
}

function persistentVolume(zone: string): PersistentVolume {
  const region = zone.slice(0, -1);
  const matchExpressions = [{ key: "topology.ebs.csi.aws.com/zone", operator: "In", values: [zone] }];
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name: "pv",
      labels: { app: "db", "topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": region },
    },
    spec: {
      csi: { driver: "ebs.csi.aws.com", volumeHandle: "vol-0old" },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
    },
  };
}

function placed(zone: string, volumeHandle: string): PersistentVolume {
  const volume = persistentVolume(zone);
  return { ...volume, spec: { ...(volume["spec"] as object), csi: { driver: "ebs.csi.aws.com", volumeHandle } } };
}

describe("a copy that cannot be restored from", () => {
  test("is on its way: an error with its progress, that a later try may outlive", async () => {
    const { snapshotId, copyId } = await copied(slow);
    const snapshotter = await slow.open({ config: { region: there, defaultZone: `${there}a` }, session: slow.start() });

    const error = await failureOf(restore(snapshotter, snapshotId));

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, new RegExp(`copy ${copyId} in ${there} is not complete \\(0 %\\)`));
  });

  test("has failed: an error with the cloud's words, and not one that says absent", async () => {
    const origin = await rig.open({ config: { copyToRegions: there }, session: rig.start() });
    const snapshotId = await rig.snapshot(origin);
    rig.ec2.failNextSnapshot(snapshotId, "Given key ID is not accessible");
    await origin.copies.startCopy({ originId: snapshotId, region: there });

    const error = await failureOf(restore(await openThere({ defaultZone: `${there}a` }), snapshotId));

    assert.equal(error.kind, "incomplete");
    assert.match(error.message, /failed \(Given key ID is not accessible\)/);
    assert.doesNotMatch(error.message, /not found/i);
  });

  test("is not there: the snapshot is not found", async () => {
    const origin = await rig.open({ session: rig.start() });
    const snapshotId = await rig.snapshot(origin);

    assert.equal((await failureOf(restore(await openThere(), snapshotId))).kind, "not-found");
  });

  test("has no zone to go to: refused with both keys named, and nothing is created", async () => {
    const { snapshotId } = await copied();

    const error = await failureOf(restore(await openThere(), snapshotId));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /us-east-1a is not in eu-west-1; set the location's key zoneMap .*or defaultZone/);
  });
});

describe("the home region is lost", () => {
  test("a volume is restored in the other region from the copy, by the recorded id", async () => {
    const { snapshotId, copyId } = await copied();
    const lost = rig.ec2.loseRegion(home);
    const session = rig.start();
    const snapshotter = await openThere({ zoneMap: `${home}a=${there}b`, defaultZone: `${there}c` }, session);

    const volumeId = await restore(snapshotter, snapshotId);
    const described = await snapshotter.describeSnapshot(snapshotId);
    const written = await snapshotter.setVolumeId(persistentVolume(`${home}a`), volumeId);
    lost.remove();

    const volume = await rig.describeVolume(volumeId, there);
    assert.deepEqual([volume.SnapshotId, volume.AvailabilityZone], [copyId, `${there}b`]);
    assert.equal(tagsOf(volume)["velero.io/backup"], "nightly");
    assert.deepEqual(
      Object.keys(tagsOf(volume)).filter((name) => name.startsWith("flotilla.io/")),
      [],
    );
    assert.deepEqual([described.snapshotId, described.state], [copyId, "completed"]);
    assert.deepEqual(written, placed(`${there}b`, volumeId));
    for (const decision of [
      /its copy in this one is used/,
      /in another zone than the recorded one/,
      /zone is rewritten/,
    ])
      assert.ok((await toldLines(session, decision)).some(({ level }) => level === "info"));
    assert.deepEqual(
      session.lines.filter(({ level }) => level === "warn" || level === "error"),
      [],
    );
  });

  test("a deletion in the other region deletes the copy there, and nothing else", async () => {
    const { snapshotId, snapshotter: origin } = await copied();

    await (await openThere()).deleteSnapshot(snapshotId);

    assert.deepEqual(await rig.copiesIn(there, snapshotId), []);
    assert.equal((await origin.describeSnapshot(snapshotId)).snapshotId, snapshotId);
  });
});

describe("both regions are opened in one process", () => {
  async function openBoth() {
    const session = rig.start();
    await rig.open({ session, config: { region: home } });
    return await openThere({ defaultZone: `${there}a` }, session);
  }

  test("a snapshot is restored where it is, not from its copy, although the copy's location was opened last", async () => {
    const { snapshotId } = await copied();

    const volumeId = await restore(await openBoth(), snapshotId);

    assert.equal((await rig.describeVolume(volumeId, home)).SnapshotId, snapshotId);
  });

  test("a deletion deletes the snapshot and does not take its copy for it", async () => {
    const { snapshotId, snapshotter: origin } = await copied();

    await (await openBoth()).deleteSnapshot(snapshotId);

    assert.equal((await failureOf(origin.describeSnapshot(snapshotId))).kind, "not-found");
    assert.equal((await rig.copiesIn(there, snapshotId)).length, 1);
  });
});

describe("a type that does not exist there", () => {
  test("gives way to gp3 with the IOPS that it can take over", async () => {
    const { snapshotId } = await copied(rig, elsewhere, { sizeGiB: 100, type: "io2", iops: 20_000 });
    const snapshotter = await rig.open({
      config: { region: elsewhere, defaultZone: `${elsewhere}a` },
      session: rig.start(),
    });

    const volume = await rig.describeVolume(await restore(snapshotter, snapshotId, "io2", 20_000n), elsewhere);

    assert.deepEqual([volume.VolumeType, volume.Iops], ["gp3", 16_000]);
  });

  test("gives way to gp2 where gp3 is missing too", async () => {
    const { snapshotId } = await copied(rig, there, { sizeGiB: 100, type: "io2", iops: 20_000 });
    const session = rig.start();
    const snapshotter = await openThere({ defaultZone: `${there}a` }, session);

    const volume = await rig.describeVolume(await restore(snapshotter, snapshotId, "io2", 20_000n), there);

    assert.equal(volume.VolumeType, "gp2");
    assert.equal((await toldLines(session, /the nearest one is taken/, 2)).length, 2);
  });
});

describe("what a PersistentVolume says of its place", { concurrency: true }, () => {
  test("stays as it is, without a request, where the volume is where it was", async () => {
    const session = rig.start();
    const snapshotter = await rig.open({ config: { zoneMap: `${there}a=${home}a` }, session });
    rig.ec2.log.clear();

    const written = await snapshotter.setVolumeId(persistentVolume(`${home}a`), "vol-0123456789abcdef0");

    assert.deepEqual(written, placed(`${home}a`, "vol-0123456789abcdef0"));
    const isAsked = rig.ec2.log
      .entries("DescribeVolumes")
      .some(({ query }) => query.get("VolumeId.1") === "vol-0123456789abcdef0");
    assert.equal(isAsked, false);
  });

  test("follows the volume within a region too, where zoneMap moved it", async () => {
    const snapshotter = await rig.open({ config: { zoneMap: `${home}a=${home}c` }, session: rig.start() });
    const snapshotId = await rig.snapshot(snapshotter);

    const volumeId = await restore(snapshotter, snapshotId);
    const written = await snapshotter.setVolumeId(persistentVolume(`${home}a`), volumeId);

    assert.deepEqual(written, placed(`${home}c`, volumeId));
  });

  test("is looked up where another process restored the volume", async () => {
    const { snapshotId } = await copied();
    const config = { defaultZone: `${there}b` };
    const volumeId = await restore(await openThere(config), snapshotId);

    const written = await (await openThere(config)).setVolumeId(persistentVolume(`${home}a`), volumeId);

    assert.deepEqual(written, placed(`${there}b`, volumeId));
  });
});
