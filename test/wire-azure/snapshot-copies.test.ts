import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { silentLogger } from "@flotilla/sdk/plugin";
import { findOrphanedCopies } from "@flotilla/sdk/volumes";
import { azureDefaults } from "@flotilla/test/emulators";

import { collectAll, failureOf } from "../wire/bytes.ts";
import { until } from "../wire/until.ts";
import { copiesGroup, copyRound, homeRegion, otherRegion, startRegionsRig } from "./snapshot-copies-rig.ts";
import { armId } from "./volume-rig.ts";

const rig = await startRegionsRig({ pendingMs: 20, copyMs: 400 });
after(() => rig.close());
const { arm } = rig;
// Its copies never end within a test.
const slow = await startRegionsRig({ copyMs: 3_600_000 });
after(() => slow.close());

const call = { log: silentLogger, signal: new AbortController().signal };
const volumeAz = `${homeRegion}-1`;
const tagsOf = (backup: string): Record<string, string> => ({ "velero.io/backup": backup, "velero.io/pv": "pv" });

async function snapshotsIn(group: string, backup: string): Promise<readonly string[]> {
  const all = await rig.snapshotsIn(group);
  return all.filter(({ tags }) => tags?.["velero.io-backup"] === backup).map(({ id = "" }) => id);
}

describe("a location whose snapshots are to be copied", { concurrency: true, timeout: 120_000 }, () => {
  for (const [what, config, pattern] of [
    ["full snapshots", { incremental: "false" }, /incremental/],
    ["its own region as a target", { region: "West US 2" }, /own region/],
    ["an option that is none", { copyToRegions: "westus2?kmsKeyId=x" }, /kmsKeyId.*resourceGroup/],
    ["a key that is no disk encryption set", { copyToRegions: "westus2?diskEncryptionSet=x" }, /diskEncryptionSet/],
  ] as const) {
    test(`${what} is refused when it is opened`, async () => {
      const error = await failureOf(rig.openHome({ session: rig.start(), config }));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, pattern);
    });
  }

  test("without wait a snapshot is made as ever, and one line says what makes the copies", async () => {
    const session = rig.start();
    const home = await rig.openHome({ session });
    const volumes = [rig.addDisk(), rig.addDisk()];

    for (const volumeId of volumes) await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("plain") });

    assert.deepEqual(await snapshotsIn(copiesGroup, "plain"), []);
    const told = session.lines.filter(({ message }) => message.includes("flotilla volume copy"));
    assert.deepEqual(
      told.map(({ level }) => level),
      ["info"],
    );
  });

  test("with wait a snapshot comes with its copy, which bears the origin and all its tags", async () => {
    const home = await rig.openHome({ config: { wait: "completed" } });
    const volumeId = rig.addDisk({ tags: { team: "storage" } });

    const snapshotId = await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("waited") });

    const [copyId = "", ...more] = await snapshotsIn(copiesGroup, "waited");
    assert.equal(more.length, 0);
    const copy = await rig.describeSnapshot(copyId);
    assert.deepEqual([copy.location, copy.completionPercent, copy.incremental], [otherRegion, 100, true]);
    assert.deepEqual(copy.tags, {
      "flotilla.io-copy-of": snapshotId,
      "flotilla.io-copy-from": homeRegion,
      "velero.io-backup": "waited",
      "velero.io-pv": "pv",
      team: "storage",
    });
  });

  test("a target without a resource group has its copies beside the snapshots, and they are told apart", async () => {
    const home = await rig.openHome({ config: { wait: "completed", copyToRegions: otherRegion, region: homeRegion } });
    const snapshotId = await home.createSnapshot({ volumeId: rig.addDisk(), volumeAz, tags: tagsOf("beside") });

    const both = await snapshotsIn(azureDefaults.resourceGroup, "beside");
    const origins = await collectAll(home.copies.listOrigins({ backup: "beside" }));
    const copies = await collectAll(home.copies.listCopies({ region: otherRegion, originId: snapshotId }));
    await home.deleteSnapshot(snapshotId);

    assert.deepEqual(
      origins.map((origin) => origin.snapshotId),
      [snapshotId],
    );
    assert.deepEqual(new Set(both), new Set([snapshotId, ...copies.map(({ copyId }) => copyId)]));
    assert.deepEqual(await snapshotsIn(azureDefaults.resourceGroup, "beside"), []);
  });

  test("with wait a copy that cannot be made fails the snapshot and leaves neither", async () => {
    arm.addSubscription({ subscriptionId: azureDefaults.subscriptionId, resourceGroups: ["closed"] });
    const scope = `/subscriptions/${azureDefaults.subscriptionId}/resourceGroups/closed`;
    arm.deny({ actions: ["Microsoft.Compute/snapshots/write"], scope });
    const home = await rig.openHome({ config: { wait: "completed", copyToRegions: "westus2?resourceGroup=closed" } });
    const volumeId = rig.addDisk();

    const error = await failureOf(home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("unplaced") }));

    assert.match(error.message, /to region westus2: .*grant Microsoft\.Compute\/snapshots\/write/);
    assert.deepEqual(await snapshotsIn(azureDefaults.resourceGroup, "unplaced"), []);
  });

  test("a deletion takes the copies with it, one that is still on its way too", async () => {
    const home = await slow.openHome();
    const volumeId = slow.addDisk();
    const snapshotId = await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("deleted") });
    await home.copies.startCopy({ originId: snapshotId, region: otherRegion });

    await home.deleteSnapshot(snapshotId);

    assert.deepEqual(await slow.snapshotsIn(copiesGroup), []);
    assert.deepEqual(await slow.snapshotsOf(volumeId), []);
  });

  test("where the copies cannot be looked for nothing is deleted", async () => {
    const home = await rig.openHome({ config: { copyToRegions: "westus2?resourceGroup=missing" } });
    const volumeId = rig.addDisk();
    const snapshotId = await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("kept") });

    await failureOf(home.deleteSnapshot(snapshotId));

    assert.equal((await rig.describeSnapshot(snapshotId)).provisioningState, "Succeeded");
  });

  test("the check tries what copies need, and says what makes them", async () => {
    const session = rig.start();
    const home = await rig.openHome({ session });
    rig.addDisk();

    const findings = await collectAll(home.check());

    const ofCopies = findings.filter(({ subject }) => subject.startsWith("copyToRegions"));
    assert.deepEqual(
      ofCopies.map(({ severity, subject }) => `${severity} ${subject}`),
      [
        "advice copyToRegions",
        ...["read", "write", "delete"].map(
          (action) => `ok copyToRegions ${otherRegion}: Microsoft.Compute/snapshots/${action}`,
        ),
      ],
    );
  });
});

describe("copies of snapshots", { concurrency: false, timeout: 300_000 }, () => {
  test("of one disk are made one after the other, in the order of their creation, and none twice", async () => {
    const home = await rig.openHome();
    const volumeId = rig.addDisk();
    const ids: string[] = [];
    for (const number of [1, 2, 3])
      ids.push(await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf(`series-${number}`) }));

    const first = (await copyRound(home)).filter(({ origin }) => origin.volumeId === volumeId);
    assert.deepEqual(
      first.map(({ state }) => state),
      ["pending", "waiting", "waiting"],
    );
    const statuses = (await rig.copyAll(home)).filter(({ origin }) => origin.volumeId === volumeId);

    assert.deepEqual(
      statuses.map(({ origin, state }) => [origin.snapshotId, state]),
      ids.map((id) => [id, "completed"]),
    );
    const copies = (await rig.snapshotsIn(copiesGroup)).filter(({ tags }) =>
      ids.includes(tags?.["flotilla.io-copy-of"] ?? ""),
    );
    assert.equal(copies.length, 3);
  });

  test("a copy of an earlier snapshot than one that was copied already has failed, and newer ones go on", async () => {
    const home = await rig.openHome();
    const volumeId = rig.addDisk();
    const earlier = await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("overtaken") });
    const later = await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("overtaking") });
    await home.copies.startCopy({ originId: later, region: otherRegion });
    const newest = await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("newest") });

    const statuses = (await rig.copyAll(home)).filter(({ origin }) => origin.volumeId === volumeId);

    assert.deepEqual(
      statuses.map(({ origin, state }) => [origin.snapshotId, state]),
      [
        [earlier, "failed"],
        [later, "completed"],
        [newest, "completed"],
      ],
    );
    assert.match(statuses[0]?.detail ?? "", /order/);
  });

  test("a copy whose answer was lost, or that is begun twice at once, is one copy", async () => {
    const home = await rig.openHome();
    const volumeId = rig.addDisk();
    const originId = await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("lost-answer") });
    arm.faults.add({ kind: "lose-response" }, { operation: "Snapshots_CreateOrUpdate", key: /lost|copies/ });

    const request = { originId, region: otherRegion };
    const ids = await Promise.allSettled([home.copies.startCopy(request), home.copies.startCopy(request)]);

    assert.ok(ids.some(({ status }) => status === "fulfilled"));
    assert.equal((await snapshotsIn(copiesGroup, "lost-answer")).length, 1);
  });

  test("a copy whose source is deleted by another tool has failed, says why and can be removed", async () => {
    const home = await slow.openHome();
    const volumeId = slow.addDisk();
    const originId = await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("broken") });
    const copyId = await home.copies.startCopy({ originId, region: otherRegion });

    await slow.removeSnapshot(originId);

    const query = { region: otherRegion, originId };
    const [copy] = await collectAll(home.copies.listCopies(query));
    assert.deepEqual([copy?.copyId, copy?.state], [copyId, "failed"]);
    assert.match(copy?.detail ?? "", /CopySourceNotFound/);
    await home.copies.deleteCopy({ region: otherRegion, copyId });
    assert.deepEqual(await collectAll(home.copies.listCopies(query)), []);
  });

  test("copies whose snapshot another tool deleted are found, and no others", async () => {
    const home = await rig.openHome();
    const [gone, kept] = [
      await home.createSnapshot({ volumeId: rig.addDisk(), volumeAz, tags: tagsOf("gone") }),
      await home.createSnapshot({ volumeId: rig.addDisk(), volumeAz, tags: tagsOf("stays") }),
    ];
    await rig.copyAll(home);
    await rig.removeSnapshot(gone);

    const { orphans } = await findOrphanedCopies(home.copies, call);

    const found = orphans.map(({ copy, reason }) => [copy.originId, reason]);
    assert.ok(found.some(([originId, reason]) => originId === gone && reason === "origin-gone"));
    assert.ok(found.every(([originId]) => originId !== kept));
  });

  test("copies of a resource group that is gone as a whole are no orphans: it was lost rather than tidied up", async () => {
    const shared = await startRegionsRig({ pendingMs: 20, copyMs: 20 });
    after(() => shared.close());
    const home = await shared.openHome();
    await home.createSnapshot({ volumeId: shared.addDisk(), volumeAz, tags: tagsOf("own") });
    await shared.copyAll(home);
    shared.arm.addSnapshot({
      name: "copy-of-another-cluster",
      resourceGroup: copiesGroup,
      location: otherRegion,
      tags: { "flotilla.io-copy-of": armId("snapshots", "s", "lost-group"), "flotilla.io-copy-from": homeRegion },
    });

    const error = await failureOf(findOrphanedCopies(home.copies, call));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /lost-group.*the resource group is missing/);
  });

  for (const [stage, operation] of [
    ["looks at the copies", "Snapshots_ListByResourceGroup"],
    ["reads the snapshot", "Snapshots_Get"],
    ["asks for the copy", "Snapshots_CreateOrUpdate"],
    ["waits for the copy to begin", "DiskOperations_Get"],
  ] as const) {
    test(`a copier that is killed as it ${stage} is run again and leaves one copy`, async () => {
      const victims = await startRegionsRig({ pendingMs: 500 });
      after(() => victims.close());
      const session = victims.start();
      const home = await victims.openHome({ session });
      const originId = await home.createSnapshot({ volumeId: victims.addDisk(), volumeAz, tags: tagsOf("killed") });
      victims.arm.log.clear();
      victims.arm.faults.add({ kind: "delay", ms: 1000 }, { operation });

      const copying = copyRound(home).catch((error: unknown) => error);
      await until("the request arrived", () => victims.arm.log.entries(operation).length > 0);
      const [pid = 0] = session.manager.pids;
      process.kill(pid, "SIGKILL");
      await copying;
      const statuses = await victims.copyAll(home);

      assert.deepEqual(
        statuses.map(({ origin, state }) => [origin.snapshotId, state]),
        [[originId, "completed"]],
      );
      assert.equal((await victims.snapshotsIn(copiesGroup)).length, 1);
    });
  }

  test("nothing but a copy is deleted as one", async () => {
    const home = await rig.openHome();
    const volumeId = rig.addDisk();
    const originId = await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("origin") });

    const error = await failureOf(home.copies.deleteCopy({ region: otherRegion, copyId: originId }));

    assert.equal(error.kind, "invalid-argument");
    assert.equal((await rig.describeSnapshot(originId)).provisioningState, "Succeeded");
  });

  test("a storm of throttling leaves every copy made once", async () => {
    const home = await rig.openHome();
    const volumes = Array.from({ length: 6 }, () => rig.addDisk());
    const ids = await Promise.all(
      volumes.map((volumeId) => home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("storm") })),
    );
    const throttle = { kind: "error", status: 429, code: "TooManyRequests", headers: { "retry-after": "0" } } as const;
    arm.faults.add(throttle, { operation: "Snapshots_CreateOrUpdate" }, { times: 9 });
    arm.faults.add(throttle, { operation: "Snapshots_ListByResourceGroup" }, { times: 4, skip: 2 });

    const statuses = (await rig.copyAll(home)).filter(({ origin }) => ids.includes(origin.snapshotId));

    assert.deepEqual(
      statuses.map(({ state }) => state),
      ids.map(() => "completed"),
    );
    assert.equal((await snapshotsIn(copiesGroup, "storm")).length, ids.length);
  });

  test("a full snapshot from before is said to be one, and does not stand in the way", async () => {
    const full = await rig.open({ session: rig.start() });
    const volumeId = rig.addDisk();
    const originId = await full.createSnapshot({ volumeId, volumeAz, tags: tagsOf("full") });
    const home = await rig.openHome();

    const statuses = (await rig.copyAll(home)).filter(({ origin }) => origin.snapshotId === originId);

    assert.deepEqual(
      statuses.map(({ state }) => state),
      ["failed"],
    );
    assert.match(statuses[0]?.detail ?? "", /incremental/);
    assert.ok(originId.startsWith(armId("snapshots", volumeId)));
  });
});
