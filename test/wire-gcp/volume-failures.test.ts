import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { toldLines } from "../wire/told-lines.ts";
import { until } from "../wire/until.ts";
import { kmsKey, project, startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig({ pendingMs: 300 });
after(() => rig.close());

// Of its own, so that no other test's requests meet the faults.
const lossyRig = await startVolumeRig({ pendingMs: 2000 });
after(() => lossyRig.close());

// A time that stands still unless a test moves it: operations of ten minutes never end by themselves.
let nowMs = Date.now();
const stuckRig = await startVolumeRig({ pendingMs: 600_000, now: () => new Date(nowMs) });
after(() => stuckRig.close());

const zone = "us-central1-a";
const twoZones = "us-central1-a__us-central1-b";
const tags = { "velero.io/backup": "nightly", "velero.io/pv": "pvc" };
const restore = { volumeType: "pd-ssd", volumeAz: zone, iops: undefined };

/** An e-mail address of its own for a test's service account. */
function account(name: string): string {
  return `${name}@${project}.iam.gserviceaccount.com`;
}

describe("what Compute Engine refuses", { concurrency: true, timeout: 240_000 }, () => {
  test("a disk that may not be read is named with the permission to grant", async () => {
    const member = account("unreadable");
    rig.gce.deny({ permissions: ["compute.disks.get"], member });
    const snapshotter = await rig.open({ session: rig.start(), account: member });
    const volumeId = rig.addDisk({ name: "unreadable" });

    for (const error of [
      await failureOf(snapshotter.getVolumeInfo({ volumeId, volumeAz: zone })),
      await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags })),
    ]) {
      assert.equal(error.kind, "denied");
      assert.match(error.message, /disk "unreadable" in zone us-central1-a of project "flotilla"/);
      assert.match(error.message, /compute\.disks\.get.*; grant compute\.disks\.get$/);
    }
  });

  for (const permission of ["compute.snapshots.create", "compute.disks.createSnapshot"])
    test(`without ${permission} there is no snapshot, and the permission is named`, async () => {
      const member = account(permission.replaceAll(".", "-").toLowerCase());
      rig.gce.deny({ permissions: [permission], member });
      const snapshotter = await rig.open({ session: rig.start(), account: member });
      const volumeId = rig.addDisk({ labels: { team: "x" } });

      const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

      assert.equal(error.kind, "denied");
      assert.ok(error.message.includes(permission));
      assert.deepEqual(await rig.namesLike(`${volumeId}-`), []);
    });

  for (const [place, seed, volumeAz] of [
    ["zone", {}, zone],
    ["region", { replicaZones: ["us-central1-a", "us-central1-b"] }, twoZones],
  ] as const)
    test(`labels that may not be set in a ${place} are left out of snapshots and disks, and told without a warning`, async () => {
      const member = account(`no-labels-${place}`);
      rig.gce.deny({ permissions: ["compute.snapshots.setLabels", "compute.disks.setLabels"], member });
      const session = rig.start();
      const snapshotter = await rig.open({ session, account: member });
      const volumeId = rig.addDisk({ ...seed, labels: { team: "x" } });

      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz, tags });
      const labelled = rig.addSnapshot({ name: `labelled-${place}`, labels: { team: "x" } });
      const restoredId = await snapshotter.createVolumeFromSnapshot({ ...restore, volumeAz, snapshotId: labelled });

      assert.deepEqual(rig.snapshot(snapshotId).labels ?? {}, {});
      const where = place === "zone" ? `zones/${zone}` : "regions/us-central1";
      assert.deepEqual(rig.disk(restoredId, where).labels ?? {}, {});
      const told = await toldLines(session, /^made without labels/, 2);
      assert.deepEqual(
        told.map(({ level }) => level),
        ["info", "info"],
      );
      assert.match(
        told.map(({ message }) => message).join(),
        /compute\.snapshots\.setLabels.*compute\.disks\.setLabels/,
      );
    });

  test("the role that Velero documents makes, restores and deletes snapshots", async () => {
    const member = account("documented-role");
    const permissions = ["globalOperations.get", "zoneOperations.get", "disks.setLabels", "disks.delete", "zones.get"];
    rig.gce.deny({ permissions: permissions.map((name) => `compute.${name}`), member });
    for (const config of [{}, { wait: "completed" }]) {
      const snapshotter = await rig.open({ session: rig.start(), account: member, config });
      const volumeId = rig.addDisk({ labels: { team: "x" } });

      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
      const restoredId = await snapshotter.createVolumeFromSnapshot({ ...restore, snapshotId });
      // Compute Engine keeps a snapshot for as long as a disk is made of it.
      await until("the disk was made", () => rig.disk(restoredId).status === "READY");
      await snapshotter.deleteSnapshot(snapshotId);
    }
  });

  test("a used up quota refuses the snapshot with its numbers, before it is asked for", async () => {
    const other = await startVolumeRig();
    try {
      other.gce.configure({ quotas: { snapshots: 0 } });
      const snapshotter = await other.open();
      const volumeId = other.addDisk();

      const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

      assert.equal(error.kind, "unavailable");
      assert.match(error.message, /the quota SNAPSHOTS is used up \(0 of 0\); raise the quota/);
      assert.deepEqual(other.requests("snapshots.insert"), []);
    } finally {
      await other.close();
    }
  });

  test("where quotas may not be read, Compute Engine's own refusal tells its numbers", async () => {
    const other = await startVolumeRig();
    try {
      other.gce.configure({ quotas: { snapshots: 0 } });
      other.gce.deny({ permissions: ["compute.projects.get"] });
      const snapshotter = await other.open();
      const volumeId = other.addDisk();

      const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

      assert.equal(error.kind, "unavailable");
      assert.match(error.message, /a quota is used up: .*SNAPSHOTS.*0/i);
    } finally {
      await other.close();
    }
  });

  test("a disk that is not there is not found", async () => {
    const snapshotter = await rig.open();

    for (const volumeAz of [zone, twoZones]) {
      const error = await failureOf(snapshotter.createSnapshot({ volumeId: "absent", volumeAz, tags }));

      assert.equal(error.kind, "not-found");
      assert.match(error.message, /disk "absent" .*not found/);
    }
  });

  test("a snapshot that is not there cannot be restored", async () => {
    const snapshotter = await rig.open();

    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ ...restore, snapshotId: "absent" }));

    assert.equal(error.kind, "not-found");
  });

  test("ids and zones that are none are refused before Compute Engine is asked", async () => {
    const snapshotter = await rig.open();

    for (const id of ["", "../x", "/subscriptions/s/x", "A"])
      assert.equal((await failureOf(snapshotter.deleteSnapshot(id))).kind, "invalid-argument");
    const nowhere = await failureOf(snapshotter.getVolumeInfo({ volumeId: "disk-1", volumeAz: "" }));
    assert.match(nowhere.message, /zone/);
  });

  test("a missing project for snapshots is an error of the location, not an absent volume", async () => {
    const snapshotter = await rig.open({ session: rig.start(), config: { project: "nowhere-at-all" } });
    const volumeId = rig.addDisk();

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

    assert.notEqual(error.kind, "not-found");
    assert.match(error.message, /nowhere-at-all/);
  });

  test("throttling is waited for as long as it says, and without end it is told as such", async () => {
    const snapshotter = await rig.open({ session: rig.start() });
    const throttled = (name: string, seconds: string, times: number): void => {
      const fault = { status: 429, code: "rateLimitExceeded", headers: { "retry-after": seconds } };
      rig.fault({ kind: "error", ...fault }, { operation: "disks.get", name, times });
    };
    const [once, always] = [rig.addDisk(), rig.addDisk()];
    throttled(once, "1", 1);
    throttled(always, "0", 100);
    const began = performance.now();

    await snapshotter.getVolumeInfo({ volumeId: once, volumeAz: zone });
    const waitedMs = performance.now() - began;
    const error = await failureOf(snapshotter.getVolumeInfo({ volumeId: always, volumeAz: zone }));

    assert.ok(waitedMs >= 950);
    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /throttled/);
  });

  test("a KMS key that Compute Engine may not use is told with what to grant", async () => {
    const snapshotter = await rig.open({ session: rig.start(), config: { kmsKeyName: kmsKey("foreign") } });
    const volumeId = rig.addDisk();

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /the KMS key cannot be used: .*foreign.*cryptoKeyEncrypterDecrypter/);
    assert.deepEqual(await rig.namesLike(`${volumeId}-`), []);
  });

  test("a revoked key is told without the key", async () => {
    const member = account("revoked");
    const credentials = rig.identity.serviceAccountKey(member);
    // The stand-in writes the key file.
    const { private_key_id: id } = JSON.parse(credentials) as { readonly private_key_id: string };
    rig.identity.directory.deleteKey(member, id);
    const snapshotter = await rig.open({ session: rig.start(), credentials });

    const error = await failureOf(snapshotter.getVolumeInfo({ volumeId: "disk-1", volumeAz: zone }));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /invalid_grant/);
    assert.doesNotMatch(error.message, /PRIVATE KEY/);
  });
});

describe("what fails on the way", { concurrency: true, timeout: 240_000 }, () => {
  const reason = {
    code: "RESOURCE_OPERATION_RATE_EXCEEDED",
    message: "Too frequent operations from the source resource.",
  };

  for (const config of [{}, { wait: "completed" }])
    test(`a snapshot that fails after it was accepted fails the backup with the reason and is removed (${config.wait ?? "none"})`, async () => {
      const snapshotter = await rig.open({ session: rig.start(), config });
      const volumeId = rig.addDisk();
      rig.gce.failNext(`projects/${project}/zones/${zone}/disks/${volumeId}`, reason);

      const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

      assert.equal(error.kind, "unavailable");
      assert.match(
        error.message,
        /Too frequent operations .*; (the unfinished snapshot was deleted|no snapshot is left)$/,
      );
      assert.deepEqual(await rig.namesLike(`${volumeId}-`), []);
    });

  test("a disk that fails after it was accepted fails the restore with the reason and is removed", async () => {
    const snapshotter = await rig.open();
    const snapshotId = rig.addSnapshot({ name: "exhausting" });
    rig.gce.failNext(`projects/${project}/global/snapshots/exhausting`, {
      code: "ZONE_RESOURCE_POOL_EXHAUSTED",
      message: "No room there.",
    });

    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ ...restore, snapshotId }));

    assert.equal(error.kind, "unavailable");
    assert.match(
      error.message,
      /lacks capacity there: No room there\..*; (the unfinished disk was deleted|no disk is left)$/,
    );
    const [, name = ""] = /disk "(restore-[^"]+)"/.exec(error.message) ?? [];
    assert.deepEqual(await rig.namesLike(name), []);
  });

  test("a late failure is an error with wait, however late it comes", async () => {
    const slow = await startVolumeRig({ pendingMs: 3000 });
    try {
      const snapshotter = await slow.open({ config: { wait: "completed" } });
      const volumeId = slow.addDisk();
      slow.gce.failNext(`projects/${project}/zones/${zone}/disks/${volumeId}`, {
        code: "INTERNAL_ERROR",
        message: "Something broke.",
      });

      const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

      assert.match(error.message, /Something broke\./);
      assert.deepEqual(await slow.namesLike(`${volumeId}-`), []);
    } finally {
      await slow.close();
    }
  });
});

describe("answers that are lost", { timeout: 240_000 }, () => {
  test("a request for a snapshot whose answer is lost makes one snapshot", async () => {
    const snapshotter = await lossyRig.open();
    const volumeId = lossyRig.addDisk({ name: "lost-answer" });
    const lost = lossyRig.fault({ kind: "lose-response" }, { operation: "snapshots.insert" });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    assert.equal(lost.hits, 1);
    assert.deepEqual(await lossyRig.namesLike("lost-answer-"), [snapshotId]);
  });

  test("connections that are lost while the operation goes on are outlasted", async () => {
    const snapshotter = await lossyRig.open({ config: { wait: "completed" } });
    const volumeId = lossyRig.addDisk();
    const lost = lossyRig.fault({ kind: "lose-response" }, { operation: "globalOperations.get", times: 3 });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    assert.equal(lost.hits, 3);
    assert.equal(lossyRig.snapshot(snapshotId).status, "READY");
  });
});

describe("an operation that never ends", { timeout: 240_000 }, () => {
  test("is given up after waitTimeout, what it made is deleted, and the error says both", async () => {
    const snapshotter = await stuckRig.open({ config: { wait: "completed", waitTimeout: "300ms" } });
    const volumeId = stuckRig.addDisk();
    const creating = failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));
    const deletions = (): readonly number[] => stuckRig.requests("snapshots.delete").map(({ status }) => status);
    await until("the deletion was asked for", () => deletions().length > 0);

    nowMs += 700_000;
    await until("the deletion was accepted", () => deletions().includes(200));
    nowMs += 700_000;
    const error = await creating;

    assert.equal(error.kind, "timeout");
    assert.match(error.message, /last seen: (PENDING|RUNNING).*; raise the location's key waitTimeout; the unfinished/);
    assert.match(error.message, /; the unfinished snapshot was deleted$/);
    assert.deepEqual(await stuckRig.namesLike(`${volumeId}-`), []);
  });

  test("without wait is left to Compute Engine after a moment, as the official plugin does", async () => {
    const snapshotter = await stuckRig.open({ session: stuckRig.start() });
    const volumeId = stuckRig.addDisk();
    const began = performance.now();

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    // Ten minutes are what it does not wait for.
    assert.ok(performance.now() - began < 60_000);
    assert.deepEqual(await stuckRig.namesLike(`${volumeId}-`), [snapshotId]);
  });

  test("is ended by a cancelled call, and what it made is deleted", async () => {
    const snapshotter = await stuckRig.open({ session: stuckRig.start(), config: { wait: "completed" } });
    const volumeId = stuckRig.addDisk();
    const cancelling = new AbortController();
    const request = { volumeId, volumeAz: zone, tags };
    const creating = failureOf(snapshotter.createSnapshot(request, { signal: cancelling.signal }));
    await until("the snapshot was begun", async () => (await stuckRig.namesLike(`${volumeId}-`)).length > 0);
    const deletionsBefore = stuckRig.requests("snapshots.delete").length;

    cancelling.abort();
    await creating;

    await until("the deletion was asked for", () => stuckRig.requests("snapshots.delete").length > deletionsBefore);
  });

  test("ends with a killed process, and the next backup works in a new one", async () => {
    const session = stuckRig.start();
    const snapshotter = await stuckRig.open({ session, config: { wait: "completed" } });
    const volumeId = stuckRig.addDisk();
    const creating = failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));
    await until("the snapshot was begun", async () => (await stuckRig.namesLike(`${volumeId}-`)).length > 0);
    const [pid = 0] = session.manager.pids;

    process.kill(pid, "SIGKILL");
    const error = await creating;

    assert.equal(error.kind, "unavailable");
    const again = snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    await until("a second one was begun", async () => (await stuckRig.namesLike(`${volumeId}-`)).length > 1);
    nowMs += 700_000;
    assert.equal(stuckRig.snapshot(await again).status, "READY");
  });
});
