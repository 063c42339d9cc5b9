import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { collectAll } from "../wire/bytes.ts";
import { toldLines } from "../wire/told-lines.ts";
import { until } from "../wire/until.ts";
import { kmsKey, project, startVolumeRig, typeUrl } from "./volume-rig.ts";

const rig = await startVolumeRig({ pendingMs: 300 });
after(() => rig.close());

const zone = "us-central1-a";
const twoZones = "us-central1-a__us-central1-b";
const tags = { "velero.io/backup": "nightly", "velero.io/pv": "pvc", team: "storage" };
const uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

describe("snapshots", { concurrency: true, timeout: 240_000 }, () => {
  test("a snapshot has the official plugin's id, name, source, description and labels", async () => {
    const snapshotter = await rig.open();
    const description = `{"kubernetes.io/created-for/pvc/name":"data","velero.io/backup":"former"}`;
    const volumeId = rig.addDisk({ labels: { owner: "me" }, description });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    assert.match(snapshotId, new RegExp(`^${volumeId}-${uuid}$`));
    const snapshot = rig.snapshot(snapshotId);
    assert.ok(snapshot.sourceDisk?.endsWith(`/projects/${project}/zones/${zone}/disks/${volumeId}`));
    assert.equal(
      snapshot.description,
      `{"kubernetes.io/created-for/pvc/name":"data","team":"storage","velero.io/backup":"nightly","velero.io/pv":"pvc"}`,
    );
    assert.deepEqual(snapshot.labels, { owner: "me" });
    assert.equal(snapshot.snapshotType, "STANDARD");
  });

  test("a long disk name is cut so that the snapshot's name has 63 characters", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk({ name: `pvc-${"0123456789".repeat(5)}` });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    assert.equal(snapshotId.length, 63);
    assert.match(snapshotId, new RegExp(`^${volumeId.slice(0, 26)}-${uuid}$`));
  });

  test("a regional disk is snapshotted in its region", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk({
      replicaZones: ["us-central1-a", "us-central1-b"],
      labels: { owner: "me" },
    });

    const info = await snapshotter.getVolumeInfo({ volumeId, volumeAz: twoZones });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: twoZones, tags });

    assert.match(info.volumeType, /\/regions\/us-central1\/diskTypes\//);
    const snapshot = rig.snapshot(snapshotId);
    assert.ok(snapshot.sourceDisk?.endsWith(`/regions/us-central1/disks/${volumeId}`));
    assert.deepEqual(snapshot.labels, { owner: "me" });
  });

  test("project, snapshotLocation, snapshotType and kmsKeyName of the location are heeded", async () => {
    const kmsKeyName = kmsKey("backups");
    const config = { project: "vault", snapshotLocation: "eu", snapshotType: "archive", kmsKeyName };
    const snapshotter = await rig.open({ session: rig.start(), config });
    const volumeId = rig.addDisk();

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    const snapshot = rig.snapshot(snapshotId, "vault");
    assert.deepEqual([snapshot.storageLocations, snapshot.snapshotType], [["eu"], "ARCHIVE"]);
    assert.ok(snapshot.snapshotEncryptionKey?.kmsKeyName?.startsWith(kmsKeyName));
  });

  test("no backup fails for tags that have no room; they are left out and told", async () => {
    const session = rig.start();
    const snapshotter = await rig.open({ session });
    const volumeId = rig.addDisk();
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`label-${index}`, "v".repeat(63)]));

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: { ...many, ...tags } });

    const { description = "" } = rig.snapshot(snapshotId);
    assert.match(description, /"velero.io\/backup":"nightly","velero.io\/pv":"pvc"/);
    const [told] = await toldLines(session, /tags are not on the snapshot/);
    assert.equal(told?.level, "info");
  });

  test("a snapshot is deleted, and one that is gone is no error", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk();
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    await rig.untilReady(snapshotId);

    await snapshotter.deleteSnapshot(snapshotId);

    await rig.untilGone(snapshotId);
    await snapshotter.deleteSnapshot(snapshotId);
  });

  test("a snapshot is described with its disk, size and tags", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk({ sizeGb: 12, labels: { owner: "me" } });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    await rig.untilReady(snapshotId);

    const described = await snapshotter.describeSnapshot(snapshotId);

    assert.equal(described.volumeId, volumeId);
    assert.deepEqual([described.state, described.progressPercent], ["READY", 100]);
    assert.equal(described.volumeSizeBytes, 12n * 1024n ** 3n);
    assert.deepEqual([described.tags["velero.io/pv"], described.tags["owner"]], ["pvc", "me"]);
  });
});

describe("restored disks", { concurrency: true, timeout: 240_000 }, () => {
  for (const [type, iops, throughput] of [
    ["hyperdisk-balanced", 5000, 300],
    ["pd-extreme", 12_000, undefined],
    ["pd-balanced", undefined, undefined],
  ] as const)
    test(`a ${type} disk comes back in its zone with its type, its IOPS and its throughput`, async () => {
      const snapshotter = await rig.open();
      const performance = { ...(iops && { iops }), ...(throughput && { throughput }) };
      const volumeId = rig.addDisk({ type, sizeGb: 600, labels: { owner: "me" }, ...performance });
      const info = await snapshotter.getVolumeInfo({ volumeId, volumeAz: zone });
      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

      const restoredId = await snapshotter.createVolumeFromSnapshot({ snapshotId, volumeAz: zone, ...info });

      assert.match(restoredId, new RegExp(`^restore-${uuid}$`));
      assert.ok(info.volumeType.endsWith(typeUrl(type, zone)));
      assert.equal(info.iops, iops === undefined ? undefined : BigInt(iops));
      const disk = rig.disk(restoredId);
      assert.ok(disk.type?.endsWith(typeUrl(type, zone)));
      if (iops !== undefined) assert.equal(Number(disk.provisionedIops), iops);
      if (throughput !== undefined) assert.equal(Number(disk.provisionedThroughput), throughput);
      assert.equal(disk.description, `{"team":"storage","velero.io/backup":"nightly","velero.io/pv":"pvc"}`);
      assert.deepEqual(disk.labels, { owner: "me" });
    });

  for (const recorded of [typeUrl("pd-ssd", "us-east1-b", "former"), "pd-ssd", typeUrl("pd-ssd", zone)])
    test(`a disk of the recorded type ${recorded} is restored into another zone`, async () => {
      const snapshotter = await rig.open();
      const volumeId = rig.addDisk({ type: "pd-ssd" });
      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
      const request = { snapshotId, volumeType: recorded, volumeAz: "europe-west1-b", iops: undefined };

      const restoredId = await snapshotter.createVolumeFromSnapshot(request);

      const disk = rig.disk(restoredId, "zones/europe-west1-b");
      assert.ok(disk.type?.endsWith(typeUrl("pd-ssd", "europe-west1-b")));
    });

  test("a regional disk is restored into both its zones", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk({ replicaZones: ["us-central1-a", "us-central1-b"], type: "pd-ssd" });
    const info = await snapshotter.getVolumeInfo({ volumeId, volumeAz: twoZones });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: twoZones, tags });

    const restoredId = await snapshotter.createVolumeFromSnapshot({ snapshotId, volumeAz: twoZones, ...info });

    const disk = rig.disk(restoredId, "regions/us-central1");
    assert.deepEqual(disk.replicaZones?.map((url) => url.split("/").at(-1)).sort(), twoZones.split("__"));
    assert.ok(disk.type?.endsWith("/regions/us-central1/diskTypes/pd-ssd"));
  });

  test("a disk encrypted with a customer's key is restored with it", async () => {
    const snapshotter = await rig.open();
    const kmsKeyName = kmsKey("disks");
    const volumeId = rig.addDisk({ kmsKeyName });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    const request = { snapshotId, volumeType: "pd-ssd", volumeAz: zone, iops: undefined };

    const disk = rig.disk(await snapshotter.createVolumeFromSnapshot(request));

    assert.ok(disk.diskEncryptionKey?.kmsKeyName?.startsWith(kmsKeyName));
    assert.match(rig.snapshot(snapshotId).description ?? "", /"flotilla.io\/kms-key":"[^"]*\/disks"/);
  });

  test("a snapshot of the official plugin, without marks, is restored as the official plugin would", async () => {
    const snapshotter = await rig.open();
    const description = `{"velero.io/backup":"b"}`;
    const snapshotId = rig.addSnapshot({ name: "official", description, labels: { owner: "me" } });
    const request = { snapshotId, volumeType: typeUrl("pd-ssd", zone), volumeAz: zone, iops: undefined };

    const disk = rig.disk(await snapshotter.createVolumeFromSnapshot(request));

    assert.deepEqual([disk.description, disk.labels], [description, { owner: "me" }]);
    assert.ok(disk.sourceSnapshot?.endsWith(`/projects/${project}/global/snapshots/official`));
    assert.ok(disk.type?.endsWith(typeUrl("pd-ssd", zone)));
  });
});

describe("waiting", { timeout: 240_000 }, () => {
  test("with wait a snapshot is answered once it is ready, and how far it is, is told for debugging", async () => {
    const slow = await startVolumeRig({ pendingMs: 3_600_000 });
    try {
      const session = slow.start();
      const [hasty, patient] = [
        await slow.open(),
        await slow.open({ session, config: { wait: "completed", waitTimeout: "2m" } }),
      ];
      const [first, second] = [slow.addDisk(), slow.addDisk()];

      const early = await hasty.createSnapshot({ volumeId: first, volumeAz: zone, tags });
      assert.notEqual(slow.snapshot(early).status, "READY");
      slow.gce.configure({ pendingMs: 2500 });
      const complete = await patient.createSnapshot({ volumeId: second, volumeAz: zone, tags });

      assert.equal(slow.snapshot(complete).status, "READY");
      const waits = await toldLines(session, new RegExp(`^waiting for snapshot "${second}-`));
      assert.match(String(waits[0]?.fields["progress"]), /PENDING|RUNNING/);
      assert.equal(waits[0]?.level, "debug");
    } finally {
      await slow.close();
    }
  });

  test("a snapshot that is still uploaded is restored once it is ready", async () => {
    let nowMs = Date.now();
    const slow = await startVolumeRig({ pendingMs: 100_000, now: () => new Date(nowMs) });
    try {
      const snapshotter = await slow.open();
      const snapshotId = await snapshotter.createSnapshot({ volumeId: slow.addDisk(), volumeAz: zone, tags });
      assert.notEqual(slow.snapshot(snapshotId).status, "READY");
      const request = { snapshotId, volumeType: "pd-ssd", volumeAz: zone, iops: undefined };

      const looks = slow.requests("snapshots.get").length;
      const restoring = snapshotter.createVolumeFromSnapshot(request);
      await until("the snapshot was looked at", () => slow.requests("snapshots.get").length > looks);
      nowMs += 100_001;
      assert.match(await restoring, /^restore-/);
    } finally {
      await slow.close();
    }
  });
});

describe("the check of a VolumeSnapshotLocation", { timeout: 240_000 }, () => {
  const needed = ["disks.get", "snapshots.get", "snapshots.delete", "snapshots.create", "disks.create"];
  const useful = ["snapshots.setLabels", "disks.setLabels", "disks.delete", "globalOperations.get", "projects.get"];
  for (const [names, severity] of [
    [needed, "failure"],
    [useful, "advice"],
  ] as const)
    for (const name of names)
      test(`a missing compute.${name} is named as ${severity}`, async () => {
        const denied = `compute.${name}`;
        const email = `no-${name.replace(".", "-").toLowerCase()}@${project}.iam.gserviceaccount.com`;
        rig.gce.deny({ permissions: [denied], member: email });
        const snapshotter = await rig.open({ session: rig.start(), account: email });

        const findings = await collectAll(snapshotter.check());

        const told = findings.filter((finding) => finding.severity !== "ok");
        assert.ok(told.some((finding) => finding.subject.startsWith(denied) && finding.severity === severity));
        assert.ok(told.every(({ remedy }) => remedy.includes("compute.")));
      });

  test("with all of them there is nothing but ok, and nothing is left", async () => {
    const snapshotter = await rig.open({ session: rig.start() });

    const findings = await collectAll(snapshotter.check());

    assert.deepEqual(
      findings.filter(({ severity }) => severity !== "ok"),
      [],
    );
    assert.equal(findings.length, 12);
    assert.deepEqual(await rig.namesLike("flotilla-check-"), []);
  });
});
