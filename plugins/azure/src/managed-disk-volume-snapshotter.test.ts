import assert from "node:assert/strict";
import { test } from "node:test";
import type { Disk, Snapshot } from "@azure/arm-compute";
import { isKind, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { settle, TestClock } from "@flotilla/sdk/testing";
import { printComputeId } from "./managed-disk-ids.ts";
import { pending, restoreRules, ScriptedDisks, succeeded } from "./testing/scripted-disks.ts";
import { ManagedDiskVolumeSnapshotter } from "./managed-disk-volume-snapshotter.ts";
import type { ManagedDiskVolumeSnapshotterOptions } from "./managed-disk-volume-snapshotter.ts";

const home = { subscription: "0000-aa", resourceGroup: "MC_home" };
const safe = { subscription: "1111-bb", resourceGroup: "backups" };
const quietCall: Call = { log: silentLogger, signal: new AbortController().signal };

function open(
  api: ScriptedDisks,
  options: Partial<ManagedDiskVolumeSnapshotterOptions> = {},
): ManagedDiskVolumeSnapshotter {
  return new ManagedDiskVolumeSnapshotter({
    api,
    disks: home,
    snapshots: safe,
    incremental: undefined,
    tags: {},
    apiTimeoutMs: 120_000,
    isWaiting: false,
    waitTimeoutMs: 600_000,
    clock: new TestClock({ skipsSleep: true }),
    random: () => 1,
    region: undefined,
    localCopies: async () => [],
    restore: restoreRules(api),
    ...options,
  });
}

function diskId(name: string, place = home): string {
  return printComputeId({ ...place, type: "disks", name });
}

const snapshotId = printComputeId({ ...safe, type: "snapshots", name: "disk-1-x" });
const request = { volumeId: "disk-1", volumeAz: "", tags: { "velero.io/backup": "b" } };
const restore = { snapshotId, volumeType: "Premium_LRS", volumeAz: "westeurope-2", iops: undefined };
const ultra: Disk = {
  location: "westeurope",
  sku: { name: "UltraSSD_LRS" },
  zones: ["3"],
  diskIopsReadWrite: 4000,
  diskMBpsReadWrite: 200,
  creationData: { createOption: "Empty", logicalSectorSize: 512 },
};
const denied = new PluginError("no", { kind: "denied" });
const unavailable = new PluginError("cut", { kind: "unavailable" });
const conflict = new PluginError("busy", { kind: "conflict" });
const notFound = new PluginError("disk not found", { kind: "not-found" });

test("a request that Azure refuses is not cleaned up after", async () => {
  const api = new ScriptedDisks();
  api.refusals = [denied];

  await assert.rejects(open(api).createSnapshot(request, quietCall), denied);

  assert.deepEqual(api.deleted, []);
});

test("a request whose answer was lost is cleaned up after", async () => {
  const api = new ScriptedDisks();
  api.refusals = [unavailable];
  api.deletions = [{ status: 204 }];

  await assert.rejects(
    open(api).createSnapshot(request, quietCall),
    (error) => isKind(error, "unavailable") && error.message === "cut; no snapshot is left",
  );

  assert.equal(api.deleted.length, 1);
});

test("a request that meets what its own lost try began goes on with that", async () => {
  const api = new ScriptedDisks();
  api.refusals = [conflict];
  api.snapshots = ["Updating", "Updating", "Succeeded"].map((state) => ({ location: "w", provisioningState: state }));

  const made = await open(api).createSnapshot(request, quietCall);

  assert.equal(made, printComputeId(api.created[0]?.id ?? assert.fail("nothing was created")));
  assert.deepEqual([api.created.length, api.deleted.length, api.snapshots.length], [1, 0, 1]);
});

test("what a lost try began and Azure failed to make is an error and is deleted", async () => {
  const api = new ScriptedDisks();
  api.refusals = [conflict];
  api.snapshots = [{ location: "w", provisioningState: "Failed" }];

  await assert.rejects(
    open(api).createSnapshot(request, quietCall),
    /failed later \(Failed\); the unfinished snapshot was/,
  );
});

test("a disk that is busy for a moment is waited for", async () => {
  const api = new ScriptedDisks();
  api.refusals = [conflict, conflict];
  api.snapshots = [notFound];

  await open(api).createSnapshot(request, quietCall);

  assert.equal(new Set(api.created.map(({ id }) => id.name)).size, 1);
  assert.equal(api.created.length, 3);
});

test("a request that is refused for the state of the disk is an error that tells so", async () => {
  const api = new ScriptedDisks();
  api.refusals = [conflict, conflict, conflict, conflict];
  api.snapshots = [notFound];

  await assert.rejects(open(api).createSnapshot(request, quietCall), conflict);

  assert.deepEqual(api.deleted, []);
});

test("a deletion that Azure accepted and does not end in time is told as such", async () => {
  const api = new ScriptedDisks();
  api.looks = [pending];
  api.deletionLooks = [pending];

  await assert.rejects(
    open(api).createSnapshot(request, quietCall),
    /; Azure goes on deleting the unfinished snapshot$/,
  );
});

test("a snapshot that fails after Azure accepted it is an error, and what is left of it is deleted", async () => {
  const api = new ScriptedDisks();
  api.looks = [pending, { done: true, value: new PluginError("the key is denied", { kind: "denied" }) }];

  await assert.rejects(
    open(api).createSnapshot(request, quietCall),
    (error) => isKind(error, "denied") && error.message === "the key is denied; the unfinished snapshot was deleted",
  );

  assert.deepEqual(api.deleted, [printComputeId(api.created[0]?.id ?? assert.fail("nothing was created"))]);
});

test("a snapshot that takes longer than apiTimeout is deleted, and the error says both and how far it was", async () => {
  const api = new ScriptedDisks();
  api.looks = [pending];

  await assert.rejects(open(api).createSnapshot(request, quietCall), (error) => {
    assert.ok(isKind(error, "timeout"));
    assert.match(error.message, /to be created: not reached within 120 s \(last seen: InProgress, 40 %\)/);
    assert.match(error.message, /raise the location's key apiTimeout; the unfinished snapshot was deleted$/);
    return true;
  });
});

test("a deletion that the unfinished creation forbids is tried again", async () => {
  const api = new ScriptedDisks();
  api.looks = [pending];
  api.deletions = [conflict, conflict, { status: 202 }];

  await assert.rejects(open(api).createSnapshot(request, quietCall), /the unfinished snapshot was deleted$/);

  assert.equal(api.deleted.length, 3);
});

test("a snapshot that can neither be made nor deleted is named, so that somebody can", async () => {
  const api = new ScriptedDisks();
  api.looks = [pending];
  api.deletions = [denied];

  await assert.rejects(open(api).createSnapshot(request, quietCall), (error) => {
    const { id } = api.created[0] ?? assert.fail("nothing was created");
    return isKind(error, "timeout") && error.message.includes(`delete ${printComputeId(id)} by hand (no)`);
  });
});

test("a look that fails for a while is outlasted", async () => {
  const api = new ScriptedDisks();
  api.looks = [unavailable, pending, unavailable, succeeded];

  assert.match(await open(api).createSnapshot(request, quietCall), /snapshots\/disk-1-/);
});

test("a request that hangs is given up some time after apiTimeout", async () => {
  const api = new ScriptedDisks();
  const clock = new TestClock();
  api.createSnapshot = async (_id, _content, call?: Call) =>
    await new Promise((_, reject) => call?.signal.addEventListener("abort", () => reject(call.signal.reason)));
  api.deletions = [{ status: 204 }];
  const creating = open(api, { clock }).createSnapshot(request, quietCall);
  await settle();

  await Promise.all([
    assert.rejects(creating, (error) => isKind(error, "timeout") && error.message.includes("no snapshot is left")),
    clock.advance(125_000),
  ]);
});

test("a cancelled call deletes the snapshot that it had begun", async () => {
  const api = new ScriptedDisks();
  const cancelling = new AbortController();
  api.looks = [pending];
  const clock = new TestClock();
  const creating = open(api, { clock }).createSnapshot(request, { ...quietCall, signal: cancelling.signal });
  await settle();

  cancelling.abort(new PluginError("the host cancelled the call", { kind: "incomplete" }));

  await assert.rejects(creating, (error) => isKind(error, "incomplete"));
  assert.equal(api.deleted.length, 1);
});

test("a snapshot is made of the disk, in the place and with the tags of the location", async () => {
  const api = new ScriptedDisks();
  api.disks = [{ location: "westeurope", sku: { name: "Premium_LRS" }, tags: { team: "x" } }];

  const made = await open(api, { incremental: true, tags: { cost: "7" } }).createSnapshot(request, quietCall);

  const { id, content } = api.created[0] ?? assert.fail("nothing was created");
  assert.match(
    made,
    /^\/subscriptions\/1111-bb\/resourceGroups\/backups\/providers\/Microsoft\.Compute\/snapshots\/disk-1-[0-9a-f-]{36}$/,
  );
  assert.equal(printComputeId(id), made);
  assert.deepEqual(content, {
    location: "westeurope",
    tags: { "velero.io-backup": "b", cost: "7", team: "x" },
    creationData: { createOption: "Copy", sourceResourceId: diskId("disk-1") },
    incremental: true,
  });
});

test("without the key incremental Azure decides, except where it makes incremental snapshots only", async () => {
  const api = new ScriptedDisks();
  api.disks = [{ location: "westeurope", sku: { name: "Premium_LRS" } }, ultra];

  await open(api).createSnapshot(request, quietCall);
  await open(api).createSnapshot(request, quietCall);

  assert.deepEqual(
    api.created.map(({ content }) => content.incremental),
    [undefined, true],
  );
});

test("what an Ultra disk needs beyond the protocol is marked on its snapshot", async () => {
  const api = new ScriptedDisks();
  const encryption = { diskEncryptionSetId: "/des/1", type: "EncryptionAtRestWithCustomerKey" };
  api.disks = [{ ...ultra, encryption }];

  await open(api).createSnapshot(request, quietCall);

  assert.deepEqual(api.created[0]?.content.tags, {
    "velero.io-backup": "b",
    "flotilla.io-iops": "4000",
    "flotilla.io-throughput": "200",
    "flotilla.io-logical-sector-size": "512",
    "flotilla.io-disk-encryption-set": "/des/1",
    "flotilla.io-encryption-type": "EncryptionAtRestWithCustomerKey",
    "flotilla.io-zone": "3",
  });
});

test("a disk elsewhere is snapshotted where its id says", async () => {
  const api = new ScriptedDisks();
  const elsewhere = diskId("disk-1", { subscription: "2222-cc", resourceGroup: "data" });

  await open(api).createSnapshot({ ...request, volumeId: elsewhere.toLowerCase() }, quietCall);

  assert.deepEqual(api.asked, [elsewhere]);
  assert.equal(api.created[0]?.content.creationData?.sourceResourceId, elsewhere);
});

for (const [sku, iops] of [
  ["UltraSSD_LRS", 4000n],
  ["PremiumV2_LRS", 4000n],
  ["Premium_LRS", undefined],
] as const)
  test(`of a ${sku} disk ${iops === undefined ? "no" : "the"} IOPS are recorded`, async () => {
    const api = new ScriptedDisks();
    api.disks = [{ ...ultra, sku: { name: sku } }];

    assert.deepEqual(await open(api).getVolumeInfo({ volumeId: "disk-1", volumeAz: "" }, quietCall), {
      volumeType: sku,
      iops,
    });
  });

const zones: readonly (readonly [type: string, volumeAz: string, mark: string | undefined, zones: unknown])[] = [
  ["Premium_LRS", "westeurope-2", undefined, ["2"]],
  ["Premium_LRS", "westeurope-2", "3", ["2"]],
  ["Premium_LRS", "us-gov-virginia-1", undefined, ["1"]],
  ["Premium_LRS", "", undefined, undefined],
  ["Premium_LRS", "", "3", ["3"]],
  ["Premium_ZRS", "westeurope-2", "3", undefined],
  ["StandardSSD_ZRS", "westeurope-2", undefined, undefined],
];

for (const [volumeType, volumeAz, mark, expected] of zones)
  test(`a ${volumeType} disk of zone "${volumeAz}" and mark ${mark ?? "none"} is restored in ${String(expected)}`, async () => {
    const api = new ScriptedDisks();
    const location = volumeAz.replace(/-\d$/, "") || "westeurope";
    api.snapshots = [{ location, ...(mark === undefined ? {} : { tags: { "flotilla.io-zone": mark } }) }];

    await open(api).createVolumeFromSnapshot({ ...restore, volumeType, volumeAz }, quietCall);

    assert.deepEqual(api.created[0]?.content.zones, expected);
  });

const marked: Snapshot = {
  location: "westeurope",
  tags: {
    team: "x",
    "flotilla.io-iops": "4000",
    "flotilla.io-throughput": "200",
    "flotilla.io-logical-sector-size": "512",
    "flotilla.io-disk-encryption-set": "/des/1",
    "flotilla.io-encryption-type": "EncryptionAtRestWithCustomerKey",
  },
};

test("an Ultra disk is restored with its IOPS, throughput, sectors and key, and without our marks", async () => {
  const api = new ScriptedDisks();
  api.snapshots = [marked];

  const volumeId = await open(api).createVolumeFromSnapshot(
    { ...restore, volumeType: "UltraSSD_LRS", iops: 5000n },
    quietCall,
  );

  const { id, content } = api.created[0] ?? assert.fail("nothing was created");
  assert.match(volumeId, /^restore-[0-9a-f-]{36}$/);
  assert.equal(printComputeId(id), diskId(volumeId));
  assert.deepEqual(content, {
    location: "westeurope",
    tags: { team: "x" },
    creationData: { createOption: "Copy", sourceResourceId: snapshotId, logicalSectorSize: 512 },
    sku: { name: "UltraSSD_LRS" },
    zones: ["2"],
    encryption: { diskEncryptionSetId: "/des/1", type: "EncryptionAtRestWithCustomerKey" },
    diskIopsReadWrite: 5000,
    diskMBpsReadWrite: 200,
  });
});

test("a disk restored as another type takes nothing that Azure would refuse there", async () => {
  const api = new ScriptedDisks();
  api.snapshots = [marked];

  await open(api).createVolumeFromSnapshot({ ...restore, iops: 5000n }, quietCall);

  const { diskIopsReadWrite, diskMBpsReadWrite, creationData } = api.created[0]?.content ?? {};
  assert.deepEqual([diskIopsReadWrite, diskMBpsReadWrite, creationData?.logicalSectorSize], Array(3).fill(undefined));
});

test("a snapshot of the official plugin is restored as it would", async () => {
  const api = new ScriptedDisks();
  api.snapshots = [{ location: "westeurope", tags: { team: "x" } }];

  await open(api).createVolumeFromSnapshot({ ...restore, volumeAz: "" }, quietCall);

  assert.deepEqual(api.created[0]?.content, {
    location: "westeurope",
    tags: { team: "x" },
    creationData: { createOption: "Copy", sourceResourceId: snapshotId },
    sku: { name: "Premium_LRS" },
  });
});

test("a snapshot whose bytes are still under way is restored once they are there", async () => {
  const api = new ScriptedDisks();
  const copying = { location: "westeurope", completionPercent: 40, snapshotAccessState: "Pending" };
  api.snapshots = [copying, copying, { location: "westeurope", completionPercent: 100 }];

  await open(api).createVolumeFromSnapshot(restore, quietCall);

  assert.equal(api.asked.length, 3);
  assert.equal(api.created.length, 1);
});

test("a snapshot that Azure opens before its bytes are there is restored at once", async () => {
  const api = new ScriptedDisks();
  api.snapshots = [{ location: "westeurope", completionPercent: 40, snapshotAccessState: "InstantAccess" }];

  await open(api).createVolumeFromSnapshot(restore, quietCall);

  assert.equal(api.asked.length, 1);
});

test("a snapshot whose copy failed is not restored, and the error says why", async () => {
  const api = new ScriptedDisks();
  const copyCompletionError = { errorCode: "CopySourceNotFound", errorMessage: "the source is gone" };
  api.snapshots = [{ location: "westeurope", completionPercent: 40, copyCompletionError }];

  await assert.rejects(
    open(api).createVolumeFromSnapshot(restore, quietCall),
    (error) => isKind(error, "corrupt") && error.message.includes("the source is gone"),
  );
  assert.equal(api.created.length, 0);
});

test("with wait a snapshot is answered once its bytes are copied", async () => {
  const api = new ScriptedDisks();
  api.snapshots = [
    { location: "w", completionPercent: 10 },
    { location: "w", completionPercent: 100 },
  ];

  await open(api, { isWaiting: true }).createSnapshot(request, quietCall);

  assert.equal(api.asked.filter((id) => id.includes("/snapshots/")).length, 2);
});

test("with wait a snapshot that is not copied within waitTimeout is deleted", async () => {
  const api = new ScriptedDisks();
  api.snapshots = [{ location: "w", completionPercent: 10 }];

  await assert.rejects(open(api, { isWaiting: true }).createSnapshot(request, quietCall), (error) => {
    assert.ok(isKind(error, "timeout"));
    assert.match(error.message, /completionPercent 10.*raise the location's key waitTimeout.*snapshot was deleted$/);
    return true;
  });
});

test("a deletion is answered when it is done", async () => {
  const api = new ScriptedDisks();
  api.deletionLooks = [pending, succeeded];

  await open(api).deleteSnapshot(snapshotId.toUpperCase(), quietCall);

  assert.equal(api.deletionLooks.length, 1);
});

for (const answer of [{ status: 204 }, notFound])
  test(`a snapshot of which Azure says ${answer instanceof PluginError ? "404" : "204"} is not found`, async () => {
    const api = new ScriptedDisks();
    api.deletions = [answer];

    await assert.rejects(open(api).deleteSnapshot(snapshotId, quietCall), (error) => isKind(error, "not-found"));
  });

test("a snapshot is described with its progress, its size and its disk", async () => {
  const api = new ScriptedDisks();
  const timeCreated = new Date(0);
  api.snapshots = [
    {
      location: "w",
      provisioningState: "Succeeded",
      completionPercent: 40,
      diskSizeGB: 8,
      creationData: { createOption: "Copy", sourceResourceId: diskId("disk-1").toLowerCase() },
      encryption: { type: "EncryptionAtRestWithPlatformKey" },
      timeCreated,
      tags: { team: "x" },
    },
  ];

  assert.deepEqual(await open(api).describeSnapshot(snapshotId, quietCall), {
    snapshotId,
    volumeId: "disk-1",
    state: "Succeeded",
    progressPercent: 40,
    volumeSizeBytes: 8n * 1024n ** 3n,
    encrypted: true,
    startedAt: timeCreated,
    tags: { team: "x" },
  });
});

test("an id speaks for the location of its place, less for one of its subscription", () => {
  const snapshotter = open(new ScriptedDisks());

  assert.deepEqual(
    [
      snapshotter.affinity(snapshotId.toUpperCase()),
      snapshotter.affinity(snapshotId.replace("backups", "other")),
      snapshotter.affinity(snapshotId.replace("1111-bb", "9999")),
      snapshotter.affinity(diskId("d")),
      snapshotter.affinity("d"),
    ],
    [2, 1, 0, 2, 0],
  );
});

test("a bare name speaks for the location that gave it out", async () => {
  const snapshotter = open(new ScriptedDisks());

  const restored = await snapshotter.createVolumeFromSnapshot(restore, quietCall);
  const volumeHandle = diskId("disk-7");
  const volume = { spec: { csi: { driver: "disk.csi.azure.com", volumeHandle } } };
  const read = await snapshotter.getVolumeId(volume, quietCall);

  assert.deepEqual([snapshotter.affinity(restored), read, snapshotter.affinity(read)], [2, "disk-7", 2]);
});
