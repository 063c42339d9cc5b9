import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { azureDefaults } from "@flotilla/test/emulators";

import { collectAll } from "../wire/bytes.ts";
import { toldLines } from "../wire/told-lines.ts";
import { until } from "../wire/until.ts";
import { armId, startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig({ pendingMs: 300 });
after(() => rig.close());
const { arm } = rig;

const zone = "eastus-1";
const tags = { "velero.io/backup": "nightly", "velero.io/pv": "pvc", team: "storage" };
const uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

describe("snapshots", { concurrency: true, timeout: 240_000 }, () => {
  test("a snapshot has the official plugin's id, name, source and tags", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk({ tags: { team: "disk", owner: "me", "velero.io-backup": "former" } });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    const place = `/subscriptions/${azureDefaults.subscriptionId}/resourceGroups/${azureDefaults.resourceGroup}`;
    assert.match(snapshotId, new RegExp(`^${place}/providers/Microsoft\\.Compute/snapshots/${volumeId}-${uuid}$`));
    const snapshot = await rig.describeSnapshot(snapshotId);
    assert.equal(snapshot.creationData?.sourceResourceId, armId("disks", volumeId));
    assert.equal(snapshot.incremental, false);
    assert.deepEqual(snapshot.tags, {
      "velero.io-backup": "nightly",
      "velero.io-pv": "pvc",
      team: "storage",
      owner: "me",
    });
  });

  test("a long disk name is cut so that the snapshot's name has 80 characters", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk({ name: `kubernetes-dynamic-pvc-${"0123456789".repeat(5)}`.slice(0, 60) });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    const name = snapshotId.split("/").at(-1) ?? "";
    assert.equal(name.length, 80);
    assert.match(name, new RegExp(`^${volumeId.slice(0, 43)}-${uuid}$`));
  });

  test("resourceGroup, subscriptionId, incremental and tags of the location are heeded", async () => {
    const subscriptionId = "44444444-4444-4444-8444-444444444444";
    arm.addSubscription({ subscriptionId, resourceGroups: ["backups"] });
    const config = { resourceGroup: "backups", subscriptionId, incremental: "true", tags: "team=vault,cost/centre=7" };
    const snapshotter = await rig.open({ session: rig.start(), config });
    const volumeId = rig.addDisk();

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    assert.ok(snapshotId.startsWith(`/subscriptions/${subscriptionId}/resourceGroups/backups/`));
    const snapshot = await rig.describeSnapshot(snapshotId);
    assert.equal(snapshot.incremental, true);
    assert.deepEqual([snapshot.tags?.["team"], snapshot.tags?.["cost-centre"]], ["vault", "7"]);
  });

  test("no backup fails for tags that Azure would refuse; they are left out and told", async () => {
    const session = rig.start();
    const snapshotter = await rig.open({ session });
    const many = Object.fromEntries(Array.from({ length: 49 }, (_, index) => [`tag-${index}`, "v"]));
    const volumeId = rig.addDisk({ tags: many });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: { ...tags, TEAM: "x" } });

    const snapshot = await rig.describeSnapshot(snapshotId);
    assert.equal(Object.keys(snapshot.tags ?? {}).length, 50);
    assert.equal(snapshot.tags?.["velero.io-backup"], "nightly");
    const [told] = await toldLines(session, /tags are not on the snapshot/);
    assert.equal(told?.level, "info");
  });

  test("how far a snapshot is, is told for debugging", async (t) => {
    // Longer than a busy machine needs for the first look.
    const slow = await startVolumeRig({ pendingMs: 5000 });
    t.after(() => slow.close());
    const { session } = slow;
    const snapshotter = await slow.open();
    const volumeId = slow.addDisk();

    await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    const waits = await toldLines(session, new RegExp(`^waiting for snapshot "${volumeId}-`));
    assert.match(String(waits[0]?.fields["progress"]), /^InProgress, \d+ %$/);
    assert.equal(waits[0]?.level, "debug");
  });

  test("a snapshot is deleted, in whatever case its id is, and one that is gone is no error", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk();
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    await snapshotter.deleteSnapshot(
      snapshotId.replace("resourceGroups", "resourcegroups").replace("Microsoft", "microsoft"),
    );
    assert.equal(arm.find(snapshotId), undefined);
    await snapshotter.deleteSnapshot(snapshotId);
    await snapshotter.deleteSnapshot(armId("snapshots", "x", "no-such-group"));
  });

  test("a snapshot is described with its disk, size, progress and tags", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk({ sizeGiB: 9 });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    const described = await snapshotter.describeSnapshot(snapshotId.toUpperCase());

    assert.equal(described.volumeId, volumeId);
    assert.equal(described.state, "Succeeded");
    assert.equal(described.progressPercent, 100);
    assert.equal(described.volumeSizeBytes, 9n * 1024n ** 3n);
    assert.equal(described.tags["velero.io-pv"], "pvc");
  });
});

describe("restored disks", { concurrency: true, timeout: 240_000 }, () => {
  for (const [type, iops, mbps] of [
    ["UltraSSD_LRS", 2000, 100],
    ["PremiumV2_LRS", 4000, 200],
    ["Premium_LRS", undefined, undefined],
  ] as const) {
    test(`a ${type} disk comes back in its zone with its type, its IOPS and its throughput`, async () => {
      const snapshotter = await rig.open();
      const volumeId = rig.addDisk({ sku: type, zones: ["2"], ...(iops && { iops, mbps }) });
      const info = await snapshotter.getVolumeInfo({ volumeId, volumeAz: "eastus-2" });
      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "eastus-2", tags });

      const restoredId = await snapshotter.createVolumeFromSnapshot({ snapshotId, volumeAz: "eastus-2", ...info });

      assert.match(restoredId, new RegExp(`^restore-${uuid}$`));
      const disk = await rig.describeDisk(restoredId);
      assert.deepEqual([disk.sku?.name, disk.zones, disk.location], [type, ["2"], "eastus"]);
      if (iops !== undefined) assert.deepEqual([disk.diskIopsReadWrite, disk.diskMBpsReadWrite], [iops, mbps]);
      assert.equal(info.iops, iops === undefined ? undefined : BigInt(iops));
      assert.deepEqual(disk.tags, { team: "storage", "velero.io-backup": "nightly", "velero.io-pv": "pvc" });
    });
  }

  test("a zone-redundant disk is restored into no zone", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk({ sku: "Premium_ZRS" });
    const info = await snapshotter.getVolumeInfo({ volumeId, volumeAz: zone });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    const restoredId = await snapshotter.createVolumeFromSnapshot({ snapshotId, volumeAz: zone, ...info });

    assert.deepEqual((await rig.describeDisk(restoredId)).zones ?? [], []);
  });

  test("a disk encrypted with a customer's key is restored with it", async () => {
    const snapshotter = await rig.open();
    const diskEncryptionSetId = arm.addDiskEncryptionSet({ name: "set-1" });
    const encryption = { type: "EncryptionAtRestWithCustomerKey", diskEncryptionSetId } as const;
    const volumeId = rig.addDisk({ encryption });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    const request = { snapshotId, volumeType: "Premium_LRS", volumeAz: zone, iops: undefined };

    const disk = await rig.describeDisk(await snapshotter.createVolumeFromSnapshot(request));

    assert.deepEqual(disk.encryption, encryption);
    assert.equal(
      (await rig.describeSnapshot(snapshotId)).tags?.["flotilla.io-disk-encryption-set"],
      diskEncryptionSetId,
    );
  });

  test("a snapshot of the official plugin, without marks, is restored as the official plugin would", async () => {
    const snapshotter = await rig.open();
    const snapshotId = arm.addSnapshot({ name: "official", tags: { "velero.io-backup": "b" } });
    const request = { snapshotId, volumeType: "PremiumV2_LRS", volumeAz: "eastus-3", iops: undefined };

    const disk = await rig.describeDisk(await snapshotter.createVolumeFromSnapshot(request));

    assert.deepEqual([disk.sku?.name, disk.zones, disk.diskIopsReadWrite], ["PremiumV2_LRS", ["3"], 3000]);
    assert.deepEqual(disk.tags, { "velero.io-backup": "b" });
  });

  test("a snapshot that was copied to another region by hand is restored there, in the zone of the same number", async () => {
    const snapshotter = await rig.open();
    const snapshotId = arm.addSnapshot({ name: "by-hand", location: azureDefaults.otherLocation });
    const request = { snapshotId, volumeType: "Premium_LRS", volumeAz: "eastus-2", iops: undefined };

    const disk = await rig.describeDisk(await snapshotter.createVolumeFromSnapshot(request));

    assert.deepEqual([disk.location, disk.zones], [azureDefaults.otherLocation, ["2"]]);
  });

  test("a snapshot in another subscription and group is restored into the cluster's", async () => {
    const subscriptionId = "55555555-5555-4555-8555-555555555555";
    const snapshotter = await rig.open();
    const snapshotId = arm.addSnapshot({ name: "far", resourceGroup: "vault", subscriptionId });
    const request = { snapshotId: snapshotId.toLowerCase(), volumeType: "Premium_LRS", volumeAz: "", iops: undefined };

    const restoredId = await snapshotter.createVolumeFromSnapshot(request);

    const disk = await rig.describeDisk(restoredId);
    assert.equal(disk.creationData?.sourceResourceId?.toLowerCase(), snapshotId.toLowerCase());
    assert.equal(disk.zones, undefined);
  });
});

describe("background copies", { timeout: 240_000 }, () => {
  test("a snapshot is restored once its bytes are there, and with wait it is answered then", async (t) => {
    let nowMs = Date.now();
    const copying = await startVolumeRig({ copyMs: 100_000, now: () => new Date(nowMs) });
    t.after(() => copying.close());
    const [hasty, patient] = [
      await copying.open(),
      await copying.open({ config: { wait: "completed" }, session: copying.start() }),
    ];
    const seed = { sku: "PremiumV2_LRS", zones: ["1"] } as const;
    const [first, second] = [copying.addDisk(seed), copying.addDisk(seed)];

    const early = await hasty.createSnapshot({ volumeId: first, volumeAz: zone, tags });
    assert.ok(((await copying.describeSnapshot(early)).completionPercent ?? 100) < 100);
    const request = { snapshotId: early, volumeType: "PremiumV2_LRS", volumeAz: zone, iops: undefined };
    const looks = (): number => copying.arm.log.entries("Snapshots_Get").length;
    const looksBefore = looks();
    const restoring = hasty.createVolumeFromSnapshot(request);
    await until("the snapshot was looked at", () => looks() > looksBefore);
    nowMs += 100_001;
    assert.match(await restoring, /^restore-/);
    const answering = patient.createSnapshot({ volumeId: second, volumeAz: zone, tags });
    await until("the second one was made", async () => (await copying.snapshotsOf(second)).length > 0);
    nowMs += 100_001;
    const complete = await answering;

    assert.equal((await copying.describeSnapshot(complete)).completionPercent, 100);
  });
});

describe("an Azure that prints resource groups in upper case", { timeout: 240_000 }, () => {
  test("backs up, restores and describes as any other, and ids are written as the location spells them", async (t) => {
    const shouting = await startVolumeRig({ upperCaseGroups: true });
    t.after(() => shouting.close());
    const snapshotter = await shouting.open();
    const volumeId = shouting.addDisk();

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    const described = await snapshotter.describeSnapshot(snapshotId);
    const request = { snapshotId, volumeType: "Premium_LRS", volumeAz: zone, iops: undefined };
    const restoredId = await snapshotter.createVolumeFromSnapshot(request);

    assert.ok(snapshotId.startsWith(armId("snapshots", `${volumeId}-`)));
    assert.equal(described.volumeId, volumeId);
    assert.ok(shouting.arm.find(armId("disks", restoredId)));
  });
});

describe("a cloud that learns of API versions late", { timeout: 240_000 }, () => {
  test("backs up, restores and deletes in a version that it knows", async (t) => {
    const national = await startVolumeRig({ apiVersions: ["2023-10-02", "2024-03-02"] });
    t.after(() => national.close());
    const snapshotter = await national.open();
    const volumeId = national.addDisk({ sku: "PremiumV2_LRS", zones: ["1"] });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    const request = { snapshotId, volumeType: "PremiumV2_LRS", volumeAz: zone, iops: undefined };
    const restoredId = await snapshotter.createVolumeFromSnapshot(request);
    await snapshotter.deleteSnapshot(snapshotId);

    assert.ok(national.arm.find(armId("disks", restoredId)));
    assert.equal(national.arm.find(snapshotId), undefined);
  });
});

describe("the other forms of an operation", { timeout: 240_000 }, () => {
  for (const form of ["location", "resource"] as const)
    test(`an operation that goes on by ${form} only is followed to its end`, async (t) => {
      const other = await startVolumeRig({ pendingMs: 1500 });
      t.after(() => other.close());
      other.arm.setOperationForm(form);
      const snapshotter = await other.open();

      const snapshotId = await snapshotter.createSnapshot({ volumeId: other.addDisk(), volumeAz: zone, tags });

      assert.equal((await other.describeSnapshot(snapshotId)).provisioningState, "Succeeded");
    });
});

describe("the check of a VolumeSnapshotLocation", { timeout: 240_000 }, () => {
  const permissions = [
    "disks/read",
    "snapshots/read",
    "snapshots/delete",
    "snapshots/write",
    "disks/write",
    "diskEncryptionSets/read",
  ].map((action) => `Microsoft.Compute/${action}`);

  const addKeyedDisk = (): void => {
    const diskEncryptionSetId = arm.addDiskEncryptionSet({ name: "checked" });
    rig.addDisk({ encryption: { type: "EncryptionAtRestWithCustomerKey", diskEncryptionSetId } });
  };

  for (const denied of permissions)
    test(`a missing ${denied} is named`, async () => {
      const clientId = denied.replace("Microsoft.Compute/", "").replace("/", "-");
      arm.identity.directory.addApplication({ tenantId: azureDefaults.tenantId, clientId, secrets: ["s"] });
      arm.deny({ actions: [denied], clientId });
      addKeyedDisk();
      const lines = { AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: "s" };
      const snapshotter = await rig.open({ session: rig.start(), lines });

      const findings = await collectAll(snapshotter.check());

      const failures = findings.filter(({ severity }) => severity === "failure");
      // Restoring a disk needs to read its snapshot: both are told then.
      assert.equal(failures[0]?.subject, denied);
      assert.ok(failures.every(({ remedy }) => remedy.includes(denied)));
    });

  test("with all of them there is nothing but ok, and nothing is left", async () => {
    addKeyedDisk();
    const snapshotter = await rig.open({ session: rig.start() });

    const findings = await collectAll(snapshotter.check());

    assert.deepEqual(
      [...new Map(findings.map(({ subject, severity }) => [subject, severity]))],
      permissions.map((permission) => [permission, "ok"]),
    );
    assert.deepEqual(await rig.snapshotsOf("flotilla-check"), []);
  });
});
