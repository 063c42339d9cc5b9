import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { settle, TestClock } from "@flotilla/sdk/testing";
import type { GceDisk } from "./gce-resources.ts";
import { printGceId } from "./persistent-disk-ids.ts";
import { PersistentDiskPlaces } from "./persistent-disk-places.ts";
import { DiskTypesThere } from "./persistent-disk-types-there.ts";
import { DiskWhereabouts } from "./persistent-disk-whereabouts.ts";
import { pending, ScriptedDisks, succeeded } from "./testing/scripted-disks.ts";
import { PersistentDiskVolumeSnapshotter } from "./volume-snapshotter.ts";
import type { PersistentDiskVolumeSnapshotterOptions } from "./volume-snapshotter.ts";

const quietCall: Call = { log: silentLogger, signal: new AbortController().signal };

function open(
  api: ScriptedDisks,
  options: Partial<PersistentDiskVolumeSnapshotterOptions> = {},
): PersistentDiskVolumeSnapshotter {
  return new PersistentDiskVolumeSnapshotter({
    api,
    diskProject: "cluster",
    snapshotProject: "vault",
    whereabouts: new DiskWhereabouts(),
    snapshotLocation: undefined,
    snapshotType: "STANDARD",
    kmsKeyName: undefined,
    places: new PersistentDiskPlaces({ zoneMap: new Map(), defaultZone: undefined }),
    types: new DiskTypesThere(api, "cluster"),
    isWaiting: false,
    waitTimeoutMs: 600_000,
    clock: new TestClock({ skipsSleep: true }),
    random: () => 1,
    ...options,
  });
}

const zone = "us-central1-a";
const request = { volumeId: "disk-1", volumeAz: zone, tags: { "velero.io/backup": "b" } };
const type = `https://www.googleapis.com/compute/v1/projects/old/zones/us-east1-b/diskTypes/pd-ssd`;
const restore = { snapshotId: "disk-1-x", volumeType: type, volumeAz: zone, iops: undefined };
const hyperdisk: GceDisk = {
  type: "projects/p/zones/z/diskTypes/hyperdisk-balanced",
  selfLink: "disk-link",
  provisionedIops: "5000",
  provisionedThroughput: "300",
  accessMode: "READ_WRITE_MANY",
  diskEncryptionKey: { kmsKeyName: "projects/k/locations/l/keyRings/r/cryptoKeys/c/cryptoKeyVersions/3" },
};
const denied = new PluginError("no", { kind: "denied" });
const unavailable = new PluginError("cut", { kind: "unavailable" });
const conflict = new PluginError("busy", { kind: "conflict" });
const notFound = new PluginError("disk not found", { kind: "not-found" });

test("a request that is refused is not cleaned up after", async () => {
  const api = new ScriptedDisks();
  api.refusals = [denied];

  await assert.rejects(open(api).createSnapshot(request, quietCall), denied);

  assert.deepEqual(api.deleted, []);
});

test("a request whose answer was lost is cleaned up after", async () => {
  const api = new ScriptedDisks();
  api.refusals = [unavailable];
  api.deletions = [notFound];

  await assert.rejects(
    open(api).createSnapshot(request, quietCall),
    (error) => isKind(error, "unavailable") && error.message === "cut; no snapshot is left",
  );

  assert.equal(api.deleted.length, 1);
});

test("a request that meets what its own lost try began goes on with that", async () => {
  const api = new ScriptedDisks();
  api.refusals = [conflict];

  const made = await open(api, { isWaiting: true }).createSnapshot(request, quietCall);

  assert.deepEqual([api.created.length, api.deleted.length], [1, 0]);
  assert.equal(made, api.created[0]?.id.name);
});

test("a disk that is busy for a moment is waited for", async () => {
  const api = new ScriptedDisks();
  api.refusals = [conflict, conflict];
  api.snapshots = [notFound];

  await open(api).createSnapshot(request, quietCall);

  assert.equal(new Set(api.created.map(({ id }) => id.name)).size, 1);
  assert.equal(api.created.length, 3);
});

test("a snapshot that fails at once is an error, and what is left of it is deleted", async () => {
  const api = new ScriptedDisks();
  api.looks = [pending, { done: true, value: denied }];

  await assert.rejects(
    open(api).createSnapshot(request, quietCall),
    (error) => isKind(error, "denied") && error.message === "no; the unfinished snapshot was deleted",
  );

  assert.deepEqual(api.deleted, [printGceId(api.created[0]?.id ?? assert.fail("nothing was created"))]);
});

test("without wait a snapshot that goes on is answered after a moment", async () => {
  const api = new ScriptedDisks();
  api.looks = [pending];
  const clock = new TestClock({ skipsSleep: true });

  await open(api, { clock }).createSnapshot(request, quietCall);

  assert.ok(clock.now() <= 600);
  assert.deepEqual(api.deleted, []);
});

test("without wait an operation that cannot be looked at is left to Compute Engine", async () => {
  for (const look of [unavailable, { done: true, value: "unknown" } as const]) {
    const api = new ScriptedDisks();
    api.looks = [pending, look];

    assert.match(await open(api).createSnapshot(request, quietCall), /^disk-1-/);
  }
});

test("with wait a snapshot is answered once it is ready", async () => {
  const api = new ScriptedDisks();
  api.looks = [pending, pending, succeeded];
  api.snapshots = [{ status: "UPLOADING" }, { status: "READY" }];

  await open(api, { isWaiting: true }).createSnapshot(request, quietCall);

  assert.equal(api.looks.length, 1);
  assert.equal(api.asked.filter((id) => id.includes("/snapshots/")).length, 2);
});

test("with wait a snapshot tells by itself where its operation may not be looked at", async () => {
  const api = new ScriptedDisks();
  api.looks = [{ done: true, value: "unknown" }];
  api.snapshots = [notFound, { status: "CREATING" }, { status: "FAILED" }];

  await assert.rejects(
    open(api, { isWaiting: true }).createSnapshot(request, quietCall),
    /is in the state FAILED; it cannot be used; the unfinished snapshot was deleted$/,
  );
});

test("with wait a snapshot that is not ready within waitTimeout is deleted, and the error says both and how far it was", async () => {
  const api = new ScriptedDisks();
  api.looks = [pending];

  await assert.rejects(open(api, { isWaiting: true }).createSnapshot(request, quietCall), (error) => {
    assert.ok(isKind(error, "timeout"));
    assert.match(error.message, /not reached within 600 s \(last seen: RUNNING, 40 %\); raise the location's key wait/);
    assert.match(error.message, /the unfinished snapshot was deleted$/);
    return true;
  });
});

test("a snapshot that can neither be made nor deleted is named, so that somebody can", async () => {
  const api = new ScriptedDisks();
  api.looks = [{ done: true, value: unavailable }];
  api.deletions = [denied];

  await assert.rejects(open(api).createSnapshot(request, quietCall), (error) => {
    const { id } = api.created[0] ?? assert.fail("nothing was created");
    return isKind(error, "unavailable") && error.message.includes(`delete ${printGceId(id)} by hand (no)`);
  });
});

test("a deletion that Compute Engine accepted and does not end in time is told as such", async () => {
  for (const look of [pending, { done: true, value: "unknown" } as const]) {
    const api = new ScriptedDisks();
    api.looks = [{ done: true, value: unavailable }];
    api.deletionLooks = [look];

    await assert.rejects(
      open(api).createSnapshot(request, quietCall),
      /; Compute Engine goes on deleting the unfinished snapshot$/,
    );
  }
});

test("a deletion that the unfinished creation forbids is tried again", async () => {
  const api = new ScriptedDisks();
  api.looks = [{ done: true, value: unavailable }];
  api.deletions = [conflict, conflict, undefined];

  await assert.rejects(open(api).createSnapshot(request, quietCall), /the unfinished snapshot was deleted$/);

  assert.equal(api.deleted.length, 3);
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

test("a used up quota refuses the snapshot with its numbers before it is asked for", async () => {
  const api = new ScriptedDisks();
  api.projects = [{ quotas: [{ metric: "SNAPSHOTS", limit: 1000, usage: 1000 }] }];

  await assert.rejects(
    open(api).createSnapshot(request, quietCall),
    (error) =>
      isKind(error, "unavailable") && error.message.includes(`project "vault"`) && /1000 of 1000/.test(error.message),
  );

  assert.equal(api.created.length, 0);
});

test("quotas that may not be read, or that bound no snapshots, are no hindrance", async () => {
  const unlimited = { quotas: [{ metric: "SNAPSHOTS", limit: -1, usage: 7 }] };
  for (const project of [denied, {}, { quotas: [] }, unlimited]) {
    const api = new ScriptedDisks();
    api.projects = [project];

    await open(api).createSnapshot(request, quietCall);
  }
});

test("a missing project of snapshots is an error of the location, not an absent volume", async () => {
  const api = new ScriptedDisks();
  api.projects = [new PluginError("project not found", { kind: "not-found" })];

  await assert.rejects(
    open(api).createSnapshot(request, quietCall),
    (error) => isKind(error, "invalid-config") && error.message.includes("key project"),
  );
});

test("a snapshot has the disk's labels and description, in the place and of the type of the location", async () => {
  const api = new ScriptedDisks();
  api.disks = [{ type: "pd-ssd", selfLink: "disk-link", labels: { team: "x" }, description: `{"k":"v"}` }];
  const options = { snapshotLocation: "eu", snapshotType: "ARCHIVE", kmsKeyName: "key" } as const;

  const made = await open(api, options).createSnapshot(request, quietCall);

  const { id, content } = api.created[0] ?? assert.fail("nothing was created");
  assert.match(made, /^disk-1-[0-9a-f-]{36}$/);
  assert.equal(printGceId(id), `projects/vault/global/snapshots/${made}`);
  assert.deepEqual(content, {
    name: made,
    description: `{"k":"v","velero.io/backup":"b"}`,
    sourceDisk: "disk-link",
    labels: { team: "x" },
    snapshotType: "ARCHIVE",
    storageLocations: ["eu"],
    snapshotEncryptionKey: { kmsKeyName: "key" },
  });
});

test("labels that may not be set are left out, in zones and in regions, of snapshots and of disks", async () => {
  const labels = { team: "x" };
  for (const volumeAz of [zone, "us-central1-a__us-central1-f"]) {
    const api = new ScriptedDisks();
    api.disks = [{ selfLink: "disk-link", labels }];
    api.snapshots = [{ status: "READY", selfLink: "snapshot-link", labels }];
    api.refusals = [denied, undefined, denied, undefined];
    const snapshotter = open(api);

    await snapshotter.createSnapshot({ ...request, volumeAz }, quietCall);
    await snapshotter.createVolumeFromSnapshot({ ...restore, volumeAz }, quietCall);

    assert.deepEqual(
      api.created.map(({ content }) => content.labels),
      [labels, undefined, labels, undefined],
    );
  }
});

test("what a Hyperdisk needs beyond the protocol is marked on its snapshot, and its IOPS are recorded", async () => {
  const api = new ScriptedDisks();
  api.disks = [hyperdisk];
  const snapshotter = open(api);

  assert.deepEqual(await snapshotter.getVolumeInfo(request, quietCall), { volumeType: hyperdisk.type, iops: 5000n });
  await snapshotter.createSnapshot(request, quietCall);

  assert.deepEqual(JSON.parse(api.created[0]?.content.description ?? ""), {
    "velero.io/backup": "b",
    "flotilla.io/iops": "5000",
    "flotilla.io/throughput": "300",
    "flotilla.io/access-mode": "READ_WRITE_MANY",
    "flotilla.io/kms-key": "projects/k/locations/l/keyRings/r/cryptoKeys/c",
  });
});

test("of a usual disk nothing is marked, and its type is recorded as the official plugin does", async () => {
  const api = new ScriptedDisks();
  api.disks = [{ type, selfLink: "disk-link", provisionedIops: "1", accessMode: "READ_WRITE_SINGLE" }];
  const snapshotter = open(api);

  assert.deepEqual(await snapshotter.getVolumeInfo(request, quietCall), { volumeType: type, iops: undefined });
  await snapshotter.createSnapshot(request, quietCall);

  assert.equal(api.created[0]?.content.description, `{"velero.io/backup":"b"}`);
});

const marks = `"flotilla.io/iops":"5000","flotilla.io/throughput":"300","flotilla.io/access-mode":"READ_WRITE_MANY"`;

test("a Hyperdisk is restored with its performance and its key, without our marks", async () => {
  const api = new ScriptedDisks();
  const description = `{"k":"v",${marks},"flotilla.io/kms-key":"key"}`;
  api.snapshots = [{ status: "READY", selfLink: "snapshot-link", description, labels: { team: "x" } }];

  const name = await open(api).createVolumeFromSnapshot(
    { ...restore, volumeType: "hyperdisk-balanced", iops: 6000n },
    quietCall,
  );

  const { id, content } = api.created[0] ?? assert.fail("nothing was created");
  assert.match(name, /^restore-[0-9a-f-]{36}$/);
  assert.equal(printGceId(id), `projects/cluster/zones/${zone}/disks/${name}`);
  assert.deepEqual(content, {
    name,
    sourceSnapshot: "snapshot-link",
    type: `projects/cluster/zones/${zone}/diskTypes/hyperdisk-balanced`,
    description: `{"k":"v"}`,
    labels: { team: "x" },
    provisionedIops: "6000",
    provisionedThroughput: "300",
    accessMode: "READ_WRITE_MANY",
    diskEncryptionKey: { kmsKeyName: "key" },
  });
});

test("a disk restored as another type takes nothing that Compute Engine would refuse there", async () => {
  const api = new ScriptedDisks();
  api.snapshots = [{ status: "READY", selfLink: "snapshot-link", description: `{${marks}}` }];

  const name = await open(api).createVolumeFromSnapshot({ ...restore, iops: 6000n }, quietCall);

  assert.deepEqual(api.created[0]?.content, {
    name,
    sourceSnapshot: "snapshot-link",
    type: `projects/cluster/zones/${zone}/diskTypes/pd-ssd`,
  });
});

const ownKey = "projects/k/locations/l/keyRings/r/cryptoKeys/c";

for (const [title, kmsKeyName, description, expected] of [
  ["a snapshot of the official plugin has the key of the snapshot", undefined, "", ownKey],
  ["one of ours has the key of the disk", undefined, `{"flotilla.io/kms-key":"marked"}`, "marked"],
  ["any snapshot has the key that the location names", "own", `{"flotilla.io/kms-key":"marked"}`, "own"],
] as const)
  test(`a disk restored from ${title}`, async () => {
    const api = new ScriptedDisks();
    const snapshotEncryptionKey = hyperdisk.diskEncryptionKey ?? {};
    api.snapshots = [{ status: "READY", snapshotEncryptionKey, description }];

    await open(api, { kmsKeyName }).createVolumeFromSnapshot(restore, quietCall);

    assert.deepEqual(api.created[0]?.content.diskEncryptionKey, { kmsKeyName: expected });
  });

test("a regional disk is restored into both zones", async () => {
  const api = new ScriptedDisks();

  await open(api).createVolumeFromSnapshot({ ...restore, volumeAz: "us-central1-a__us-central1-f" }, quietCall);

  const { id, content } = api.created[0] ?? assert.fail("nothing was created");
  assert.match(printGceId(id), /^projects\/cluster\/regions\/us-central1\/disks\/restore-/);
  assert.equal(content.type, "projects/cluster/regions/us-central1/diskTypes/pd-ssd");
  assert.deepEqual(content.replicaZones, [
    "projects/cluster/zones/us-central1-a",
    "projects/cluster/zones/us-central1-f",
  ]);
});

test("a backup without a zone is restored where the disk was", async () => {
  const api = new ScriptedDisks();
  api.snapshots = [{ status: "READY", sourceDisk: "https://x/projects/old/zones/us-east1-b/disks/d" }];

  await open(api).createVolumeFromSnapshot({ ...restore, volumeAz: "" }, quietCall);

  assert.match(printGceId(api.created[0]?.id ?? assert.fail()), /^projects\/cluster\/zones\/us-east1-b\//);
  api.snapshots = [{ status: "READY" }];
  await assert.rejects(open(api).createVolumeFromSnapshot({ ...restore, volumeAz: "" }, quietCall), (error) =>
    isKind(error, "invalid-argument"),
  );
});

test("a snapshot that is still uploaded is restored once it is ready, and a failed one never", async () => {
  const api = new ScriptedDisks();
  api.snapshots = [{ status: "UPLOADING" }, { status: "UPLOADING" }, { status: "READY" }];

  await open(api).createVolumeFromSnapshot(restore, quietCall);

  assert.equal(api.created.length, 1);
  api.snapshots = [{ status: "FAILED" }];
  await assert.rejects(open(api).createVolumeFromSnapshot(restore, quietCall), (error) => isKind(error, "corrupt"));
  assert.equal(api.created.length, 1);
});

test("a snapshot that is gone is not found, and a deletion that fails at once is an error", async () => {
  const api = new ScriptedDisks();
  api.deletions = [notFound];
  await assert.rejects(open(api).deleteSnapshot("s", quietCall), notFound);

  api.deletions = [undefined];
  api.deletionLooks = [{ done: true, value: denied }];
  await assert.rejects(open(api).deleteSnapshot("s", quietCall), denied);
});

test("with wait a deletion is answered when it is done", async () => {
  const api = new ScriptedDisks();
  api.deletionLooks = [...Array<typeof pending>(20).fill(pending), succeeded];

  await open(api, { isWaiting: true }).deleteSnapshot("s", quietCall);

  assert.equal(api.deletionLooks.length, 1);
});

test("a snapshot is described with its state, its size and its disk", async () => {
  const api = new ScriptedDisks();
  api.snapshots = [
    {
      status: "UPLOADING",
      diskSizeGb: "8",
      sourceDisk: "https://www.googleapis.com/compute/v1/projects/p/zones/z/disks/disk-1",
      creationTimestamp: "2026-01-02T03:04:05.678-07:00",
      labels: { team: "x" },
      description: `{"velero.io/backup":"b"}`,
    },
  ];

  assert.deepEqual(await open(api).describeSnapshot("disk-1-x", quietCall), {
    snapshotId: "disk-1-x",
    volumeId: "disk-1",
    state: "UPLOADING",
    progressPercent: 0,
    volumeSizeBytes: 8n * 1024n ** 3n,
    encrypted: true,
    startedAt: new Date("2026-01-02T10:04:05.678Z"),
    tags: { team: "x", "velero.io/backup": "b" },
  });
});
