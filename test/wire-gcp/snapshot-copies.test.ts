import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { findOrphanedCopies } from "@flotilla/sdk/volumes";
import { silentLogger } from "@flotilla/sdk/plugin";

import { collectAll, failureOf } from "../wire/bytes.ts";
import { until } from "../wire/until.ts";
import {
  copyRound,
  homeRegion,
  homeZone,
  otherRegion,
  startSnapshotCopiesRig,
  temporaryDisk,
} from "./snapshot-copies-rig.ts";
import type { SnapshotCopiesRig } from "./snapshot-copies-rig.ts";
import { kmsKey, project } from "./volume-rig.ts";

const volumeAz = homeZone;
const tagsOf = (backup: string): Record<string, string> => ({ "velero.io/backup": backup, "velero.io/pv": "pv" });
const outage = { kind: "error", status: 503, code: "backendError" } as const;
const call = { log: silentLogger, signal: new AbortController().signal };

const wide = await startSnapshotCopiesRig();
after(() => wide.close());

/** A stand-in of its own, since copies are made of everything in a project. */
async function openRig(options: Parameters<typeof startSnapshotCopiesRig>[0] = { pendingMs: 20, uploadMs: 20 }) {
  const rig = await startSnapshotCopiesRig(options);
  return { ...rig, [Symbol.asyncDispose]: async () => await rig.close() };
}

function descriptionOf(rig: SnapshotCopiesRig, name: string, ofProject?: string): Record<string, string> {
  // What the plugin wrote there.
  return JSON.parse(rig.snapshot(name, ofProject).description ?? "{}") as Record<string, string>;
}

describe("a location whose snapshots are to be copied", { concurrency: 2, timeout: 120_000 }, () => {
  for (const [what, copyToRegions, pattern] of [
    ["the place where its snapshots are as a target", homeRegion, /own snapshotLocation/],
    ["an option that is none", `${otherRegion}?kmsKeyId=x`, /kmsKeyId.*project/],
    ["one region twice", `${otherRegion} ${otherRegion}`, /twice/],
  ] as const) {
    test(`${what} is refused when it is opened`, async () => {
      const error = await failureOf(wide.openHome({ session: wide.start(), config: { copyToRegions } }));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, pattern);
    });
  }

  test("without wait a snapshot is made as ever, and one line says what makes the copies", async () => {
    await using rig = await openRig();
    const session = rig.start();
    const home = await rig.openHome({ session });

    for (const backup of ["one", "two"]) await rig.backUp(home, backup);

    assert.deepEqual(await rig.remnants(), []);
    const told = session.lines.filter(({ message }) => message.includes("flotilla volume copy"));
    assert.deepEqual(
      told.map(({ level }) => level),
      ["info"],
    );
  });

  test("with wait a snapshot comes with its copy, which bears the origin and all its tags, and no disk is left", async () => {
    await using rig = await openRig();
    const home = await rig.openHome({ config: { wait: "completed" } });
    const volumeId = rig.addDisk({ labels: { team: "storage" }, sizeGb: 20 });

    const snapshotId = await home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("waited") });

    const [copyId = "", ...more] = await rig.remnants();
    assert.equal(more.length, 0);
    const copy = rig.snapshot(copyId);
    assert.deepEqual([copy.status, copy.storageLocations, copy.labels], ["READY", [otherRegion], { team: "storage" }]);
    assert.deepEqual(descriptionOf(rig, copyId), {
      "flotilla.io/copy-of": snapshotId,
      "flotilla.io/copy-from": homeRegion,
      "flotilla.io/copy-from-project": project,
      "flotilla.io/copy-to": otherRegion,
      "velero.io/backup": "waited",
      "velero.io/pv": "pv",
    });
  });

  test("with wait a copy that cannot be made fails the snapshot and leaves neither", async () => {
    await using rig = await openRig();
    rig.gce.deny({ permissions: ["compute.regions.get"] });
    const home = await rig.openHome({ config: { wait: "completed" } });
    const volumeId = rig.addDisk();

    const error = await failureOf(home.createSnapshot({ volumeId, volumeAz, tags: tagsOf("unplaced") }));

    assert.match(error.message, /to region europe-west1: .*compute\.regions\.get.*\?zone=ZONE/);
    assert.deepEqual(await rig.namesLike(volumeId), [volumeId]);
    assert.deepEqual(await rig.remnants(), []);
  });

  test("with a zone named, nobody is asked for the region's", async () => {
    await using rig = await openRig();
    rig.gce.deny({ permissions: ["compute.regions.get"] });
    const home = await rig.openHome({ config: { copyToRegions: `${otherRegion}?zone=${otherRegion}-d` } });
    const originId = await rig.backUp(home, "placed");

    const copyId = await home.copies.startCopy({ originId, region: otherRegion });

    assert.notEqual(rig.gce.find(temporaryDisk(copyId, `${otherRegion}-d`)), undefined);
  });

  test("a copy in a multi-region is made of a disk where the origin was", async () => {
    await using rig = await openRig();
    const home = await rig.openHome({ config: { copyToRegions: "eu" } });
    await rig.backUp(home, "multi");

    const [status] = await rig.copyAll(home);

    assert.equal(status?.state, "completed");
    assert.deepEqual(rig.snapshot(status?.copyId ?? "").storageLocations, ["eu"]);
    const [disk] = rig.requests("disks.insert");
    assert.ok(disk?.key?.includes(`/zones/${homeZone}/`));
  });

  test("a copy has the target's key, and so has a disk that is made of it", async () => {
    await using rig = await openRig();
    const key = kmsKey("backups");
    const home = await rig.openHome({ config: { copyToRegions: `${otherRegion}?kmsKeyName=${key}` } });
    await rig.backUp(home, "keyed", { kmsKeyName: kmsKey("disks") });

    const [{ copyId = "" } = {}] = await rig.copyAll(home);
    const restoredId = await home.createVolumeFromSnapshot({
      snapshotId: copyId,
      volumeType: "pd-ssd",
      volumeAz: `${otherRegion}-b`,
      iops: undefined,
    });

    assert.ok(rig.snapshot(copyId).snapshotEncryptionKey?.kmsKeyName.startsWith(key));
    assert.ok(rig.disk(restoredId, `zones/${otherRegion}-b`).diskEncryptionKey?.kmsKeyName.startsWith(key));
  });

  test("a copy in another project is of that project's snapshots", async () => {
    await using rig = await openRig();
    const home = await rig.openHome({ config: { copyToRegions: `${otherRegion}?project=vault` } });
    const originId = await rig.backUp(home, "vaulted");

    const [status] = await rig.copyAll(home);

    assert.equal(rig.snapshot(status?.copyId ?? "", "vault").status, "READY");
    assert.deepEqual(await rig.remnants(), []);
    await home.deleteSnapshot(originId);
    await rig.untilGone(status?.copyId ?? "", "vault");
  });

  test("a deletion takes the copies with it, whatever stage they are at", async () => {
    await using rig = await openRig({});
    const home = await rig.openHome();
    const [begun, complete] = [await rig.backUp(home, "begun"), await rig.backUp(home, "complete")];
    await rig.copyAll(home);
    const copies = await collectAll(home.copies.listCopies({ region: otherRegion, originId: begun }));
    await home.copies.deleteCopy({ region: otherRegion, copyId: copies[0]?.copyId ?? "" });
    await home.copies.startCopy({ originId: begun, region: otherRegion });

    for (const id of [begun, complete]) await home.deleteSnapshot(id);

    assert.deepEqual(await rig.remnants(), []);
    assert.equal(rig.gce.find(`projects/${project}/global/snapshots/${begun}`), undefined);
  });

  test("where the copies cannot be looked for nothing is deleted", async () => {
    await using rig = await openRig({});
    const home = await rig.openHome();
    const snapshotId = await rig.backUp(home, "kept");
    rig.gce.faults.add(outage, { operation: "disks.aggregatedList" }, { times: 99 });

    const error = await failureOf(home.deleteSnapshot(snapshotId));

    assert.equal(error.kind, "unavailable");
    assert.equal(rig.snapshot(snapshotId).status, "READY");
  });

  test("the check tries what copies need, and says what makes them", async () => {
    await using rig = await openRig();
    const home = await rig.openHome();

    const findings = await collectAll(home.check());

    assert.deepEqual(
      findings
        .filter(({ subject }) => subject.startsWith("copyToRegions"))
        .map(({ severity, subject }) => `${severity} ${subject}`),
      [
        "advice copyToRegions",
        "ok copyToRegions: compute.snapshots.list",
        "ok copyToRegions: compute.disks.list",
        `ok copyToRegions ${otherRegion}: compute.regions.get`,
      ],
    );
  });
});

describe("copies of snapshots", { concurrency: 2, timeout: 300_000 }, () => {
  test("go by way of a disk, which is labelled as ours and gone when the copy is complete", async () => {
    await using rig = await openRig({ pendingMs: 200 });
    const home = await rig.openHome();
    const originId = await rig.backUp(home, "staged");

    const [first] = await copyRound(home);
    const disk = rig.gce.find(temporaryDisk(first?.copyId ?? ""));
    const [last] = await rig.copyAll(home);

    assert.deepEqual([first?.state, last?.state, last?.copyId], ["pending", "completed", first?.copyId]);
    assert.deepEqual(disk?.["labels"], { "flotilla-temporary": "snapshot-copy" });
    assert.ok(String(disk?.["description"]).includes(originId));
    await until("the disk is gone", () => rig.gce.find(temporaryDisk(first?.copyId ?? "")) === undefined);
  });

  test("a copy that is begun twice at once, or whose answers are lost, is one copy", async () => {
    await using rig = await openRig({});
    const home = await rig.openHome();
    const originId = await rig.backUp(home, "lost-answer");
    for (const operation of ["disks.insert", "snapshots.insert", "disks.delete"])
      rig.gce.faults.add({ kind: "lose-response" }, { operation });

    const request = { originId, region: otherRegion };
    await Promise.allSettled([home.copies.startCopy(request), home.copies.startCopy(request)]);
    const [status] = await rig.copyAll(home);

    assert.deepEqual([status?.state, await rig.remnants()], ["completed", [status?.copyId]]);
  });

  for (const at of ["operation", "upload"] as const) {
    test(`a copy that fails in its ${at} is removed with its disk and made again`, async () => {
      await using rig = await openRig();
      const home = await rig.openHome();
      const originId = await rig.backUp(home, "failing");
      const copyId = await home.copies.startCopy({ originId, region: otherRegion });
      const path = `projects/${project}/global/snapshots/${copyId}`;
      rig.gce.failNext(path, { code: "INTERNAL_ERROR", message: "an internal error" }, at);

      const [status] = await rig.copyAll(home);

      assert.equal(status?.state, "completed");
      assert.deepEqual(await rig.remnants(), [copyId]);
    });
  }

  test("a disk for which there is no room makes the copy wait, and says which quota is used up", async () => {
    await using rig = await openRig({ quotas: { disksTotalGb: 5 } });
    const home = await rig.openHome();
    await rig.backUp(home, "crowded");

    const [waiting] = await copyRound(home);
    rig.gce.configure({ quotas: {} });
    const [status] = await rig.copyAll(home);

    assert.equal(waiting?.state, "waiting");
    assert.match(waiting?.detail ?? "", /DISKS_TOTAL_GB/);
    assert.equal(status?.state, "completed");
  });

  test("a storm of throttling leaves every copy made once and no disk", async () => {
    await using rig = await openRig();
    const home = await rig.openHome();
    for (const number of [1, 2, 3, 4]) await rig.backUp(home, `storm-${number}`);
    const throttle = { kind: "error", status: 403, code: "rateLimitExceeded" } as const;
    for (const operation of ["disks.insert", "snapshots.insert", "disks.delete", "snapshots.list"])
      rig.gce.faults.add(throttle, { operation }, { times: 5, skip: 1 });

    const statuses = await rig.copyAll(home);

    assert.deepEqual(
      statuses.map(({ state }) => state),
      statuses.map(() => "completed"),
    );
    assert.equal((await rig.remnants()).length, 4);
  });

  test("copies and disks whose origin was deleted by another tool are found, and those of other projects are not", async () => {
    await using rig = await openRig({});
    const home = await rig.openHome();
    const gone = await rig.backUp(home, "gone");
    const begun = await rig.backUp(home, "begun");
    const kept = await rig.backUp(home, "kept");
    const copyId = await home.copies.startCopy({ originId: begun, region: otherRegion });
    const strange = await rig.open({
      config: { project: "vault", volumeProject: project, copyToRegions: `${otherRegion}?project=${project}` },
      session: rig.start(),
    });
    const strangeId = await strange.createSnapshot({ volumeId: rig.addDisk(), volumeAz, tags: tagsOf("strange") });
    await rig.copyAll(strange);
    for (const id of [gone, kept]) await home.copies.startCopy({ originId: id, region: otherRegion });
    for (let round = 0; round < 3; round += 1)
      for await (const copy of home.copies.listCopies({ region: otherRegion }))
        if (copy.needsTending && copy.originId !== begun) await home.copies.tendCopy(copy);
    const official = await rig.open({ session: rig.start() });
    for (const id of [gone, begun]) await official.deleteSnapshot(id);

    const { orphans } = await findOrphanedCopies(home.copies, call);

    assert.ok(orphans.every(({ reason }) => reason === "origin-gone"));
    assert.deepEqual(new Set(orphans.map(({ copy }) => copy.originId)), new Set([gone, begun]));
    for (const { copy } of orphans) await home.copies.deleteCopy(copy);
    assert.equal(rig.gce.find(temporaryDisk(copyId)), undefined);
    assert.ok(strangeId !== "" && (await rig.remnants()).length === 2);
  });

  test("nothing but a copy is deleted as one", async () => {
    await using rig = await openRig({});
    const home = await rig.openHome();
    const originId = await rig.backUp(home, "origin");

    const error = await failureOf(home.copies.deleteCopy({ region: otherRegion, copyId: originId }));

    assert.equal(error.kind, "invalid-argument");
    assert.equal(rig.snapshot(originId).status, "READY");
  });
});
