import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { failureOf } from "../probes/probe.ts";
import { idOf, sendRaw, startRig, stoppedClock } from "./rig.ts";
import { azureDefaults } from "./seeds.ts";

const { resourceGroup: group, location, otherLocation } = azureDefaults;
const often = { updateIntervalInMs: 20 };
const version = "?api-version=2026-03-02";

describe("what goes on after an answer", { concurrency: true }, () => {
  test("an operation is in progress until its time has come", async (t) => {
    const clock = stoppedClock();
    const { arm } = await startRig(t, { pendingMs: 10_000, retryAfterSeconds: 2, now: clock.now });
    const sourceResourceId = arm.addDisk({ name: "pv" });
    const body = { location, properties: { creationData: { createOption: "Copy", sourceResourceId } } };
    const path = idOf("snapshots", "snap");

    const accepted = await sendRaw(arm, "PUT", path + version, { body });

    assert.equal(accepted.status, 202);
    assert.equal(accepted.headers["retry-after"], "2");
    const status = String(accepted.headers["azure-asyncoperation"]);
    const monitor = String(accepted.headers["location"]);
    const seen: unknown[] = [];
    for (const stepMs of [0, 2500, 5000, 2500]) {
      clock.move(stepMs);
      const { json } = await sendRaw(arm, "GET", status);
      const { status: state, percentComplete } = json as { status: string; percentComplete?: number };
      const resource = await sendRaw(arm, "GET", path + version);
      const { properties } = resource.json as { properties: { provisioningState: string } };
      seen.push([state, percentComplete, (await sendRaw(arm, "GET", monitor)).status, properties.provisioningState]);
    }
    assert.deepEqual(seen, [
      ["InProgress", 0, 202, "Updating"],
      ["InProgress", 25, 202, "Updating"],
      ["InProgress", 75, 202, "Updating"],
      ["Succeeded", undefined, 200, "Succeeded"],
    ]);
  });

  test("a write to what another operation is at work on is a conflict", async (t) => {
    const clock = stoppedClock();
    const { arm, client, accept } = await startRig(t, { pendingMs: 10_000, now: clock.now });
    await accept("snap", arm.addDisk({ name: "pv" }));

    const update = client.snapshots.update(group, "snap", { tags: {} }, often);

    assert.deepEqual(await failureOf(update), { code: "Conflict", status: 409 });
  });

  test("what is not ready makes nothing else", async (t) => {
    const clock = stoppedClock();
    const { arm, client, accept } = await startRig(t, { pendingMs: 10_000, now: clock.now });
    await accept("snap", arm.addDisk({ name: "pv" }));
    const creationData = { createOption: "Copy", sourceResourceId: idOf("snapshots", "snap") };

    const disk = client.disks.createOrUpdate(group, "restored", { location, creationData }, often);

    assert.deepEqual(await failureOf(disk), { code: "OperationNotAllowed", status: 409 });
  });

  test("a write that was told to fail says why, in the operation and in the resource", async (t) => {
    const { arm, client } = await startRig(t);
    const sourceResourceId = arm.addDisk({ name: "pv" });
    arm.failNext(sourceResourceId, { code: "InternalDiskManagementError", message: "the disk gave up" });
    const wanted = { location, creationData: { createOption: "Copy", sourceResourceId } };

    await assert.rejects(
      async () => await client.snapshots.createOrUpdate(group, "first", wanted, often),
      /InternalDiskManagementError.*the disk gave up/,
    );
    const second = await client.snapshots.createOrUpdate(group, "second", wanted, often);

    assert.equal((await client.snapshots.get(group, "first")).provisioningState, "Failed");
    assert.equal(second.provisioningState, "Succeeded");
  });

  test("a key that cannot be used is found out after the answer", async (t) => {
    const { arm, client } = await startRig(t);
    const failure = { code: "KeyVaultAccessForbidden", message: "the key is gone" };
    const diskEncryptionSetId = arm.addDiskEncryptionSet({ name: "cmk", failure });
    const wanted = {
      location,
      diskSizeGB: 4,
      creationData: { createOption: "Empty" },
      encryption: { diskEncryptionSetId },
    };

    await assert.rejects(
      async () => await client.disks.createOrUpdate(group, "locked", wanted, often),
      /KeyVaultAccessForbidden/,
    );
  });

  test("snapshots and disks of an encrypted disk have its disk encryption set", async (t) => {
    const { arm, client } = await startRig(t);
    const type = "EncryptionAtRestWithPlatformAndCustomerKeys";
    const diskEncryptionSetId = arm.addDiskEncryptionSet({ name: "cmk", type });
    const encryption = { type, diskEncryptionSetId } as const;
    const disk = arm.addDisk({ name: "pv", encryption });

    const snapshot = await client.snapshots.createOrUpdate(
      group,
      "snap",
      { location, creationData: { createOption: "Copy", sourceResourceId: disk } },
      often,
    );
    const restored = await client.disks.createOrUpdate(
      group,
      "restored",
      { location, creationData: { createOption: "Copy", sourceResourceId: idOf("snapshots", "snap") } },
      often,
    );

    assert.deepEqual([snapshot.encryption, restored.encryption], [encryption, encryption]);
  });

  test("what describes the content of a disk goes along to its snapshot and to the disk made of it", async (t) => {
    const { arm, client, accept } = await startRig(t);
    const properties = { osType: "Linux", hyperVGeneration: "V2", networkAccessPolicy: "DenyAll" };
    await accept("snap", arm.addDisk({ name: "pv", properties }));
    const creationData = { createOption: "Copy", sourceResourceId: idOf("snapshots", "snap") };

    const restored = await client.disks.createOrUpdate(group, "restored", { location, creationData }, often);

    const { osType, hyperVGeneration, networkAccessPolicy } = restored;
    assert.deepEqual([osType, hyperVGeneration, networkAccessPolicy], ["Linux", "V2", "AllowAll"]);
  });

  test("a delete goes on after its answer as well, and takes the place of a write", async (t) => {
    const clock = stoppedClock();
    const { arm, client } = await startRig(t, { pendingMs: 10_000, now: clock.now });
    const sourceResourceId = arm.addDisk({ name: "pv" });
    const body = { location, properties: { creationData: { createOption: "Copy", sourceResourceId } } };
    const path = idOf("snapshots", "snap") + version;
    const { headers } = await sendRaw(arm, "PUT", path, { body });
    clock.move(5000);

    await client.snapshots.delete(group, "snap").submitted();

    const write = await sendRaw(arm, "GET", String(headers["azure-asyncoperation"]));
    const { status, error } = write.json as { status: string; error: { code: string } };
    assert.deepEqual([status, error.code], ["Canceled", "OperationPreempted"]);
    assert.equal((await client.snapshots.get(group, "snap")).provisioningState, "Deleting");
    clock.move(10_000);
    assert.equal((await failureOf(client.snapshots.get(group, "snap"))).code, "ResourceNotFound");
  });

  test("a delete that was told to fail leaves the resource as it was", async (t) => {
    const { arm, client } = await startRig(t);
    const id = arm.addDisk({ name: "pv" });
    arm.failNext(id, { code: "InternalError", message: "not now" });

    await assert.rejects(async () => await client.disks.delete(group, "pv", often), /InternalError/);

    assert.equal((await client.disks.get(group, "pv")).provisioningState, "Succeeded");
  });

  for (const form of ["location", "resource"] as const) {
    test(`a client finds the end of an operation where only the ${form} tells it`, async (t) => {
      const { arm, client } = await startRig(t, { pendingMs: 30 });
      arm.setOperationForm(form);
      const sourceResourceId = arm.addDisk({ name: "pv" });
      const wanted = { location, creationData: { createOption: "Copy", sourceResourceId } };

      const snapshot = await client.snapshots.createOrUpdate(group, "snap", wanted, often);

      assert.equal(snapshot.provisioningState, "Succeeded");
    });
  }

  test("disks, snapshots and operations are there after a restart", async (t) => {
    const stateDir = await mkdtemp(join(tmpdir(), "azure-arm-"));
    t.after(() => rm(stateDir, { recursive: true }));
    const clock = stoppedClock();
    const first = await startRig(t, { stateDir, pendingMs: 10_000, now: clock.now });
    const sourceResourceId = first.arm.addDisk({ name: "pv", resourceGroup: "elsewhere" });
    const body = { location, properties: { creationData: { createOption: "Copy", sourceResourceId } } };
    const { headers } = await sendRaw(first.arm, "PUT", idOf("snapshots", "snap") + version, { body });
    await first.arm.close();

    const second = await startRig(t, { stateDir, now: clock.now });

    const { pathname } = new URL(String(headers["azure-asyncoperation"]));
    const { json } = await sendRaw(second.arm, "GET", pathname + version);
    assert.equal((json as { status: string }).status, "InProgress");
    assert.equal((await second.client.snapshots.get(group, "snap")).diskSizeGB, 8);
    assert.equal((await second.client.disks.get("elsewhere", "pv")).name, "pv");
  });
});

describe("background copies", { concurrency: true }, () => {
  test("the completion of a copy grows, and until its end nothing is made of it", async (t) => {
    const clock = stoppedClock();
    const { arm, client, copy } = await startRig(t, { copyMs: 10_000, now: clock.now });
    const source = arm.addSnapshot({ name: "source" });
    await copy("copy", source);

    const seen: unknown[] = [];
    for (const stepMs of [0, 3750, 6249, 1]) {
      clock.move(stepMs);
      const { completionPercent, provisioningState } = await client.snapshots.get(group, "copy");
      const creationData = { createOption: "Copy", sourceResourceId: idOf("snapshots", "copy") };
      const wanted = { location: otherLocation, creationData };
      const disk = client.disks.createOrUpdate(group, `disk-${seen.length}`, wanted, often);
      const isMade = seen.length === 3;
      const outcome = isMade ? (await disk).provisioningState : (await failureOf(disk)).code;
      seen.push([completionPercent, provisioningState, outcome]);
    }

    assert.deepEqual(seen, [
      [0, "Succeeded", "OperationNotAllowed"],
      [37.5, "Succeeded", "OperationNotAllowed"],
      [99, "Succeeded", "OperationNotAllowed"],
      [100, "Succeeded", "Succeeded"],
    ]);
  });

  test("a snapshot of a Premium v2 disk is used only after its copy, one of a Premium disk at once", async (t) => {
    const clock = stoppedClock();
    const { arm, client, accept } = await startRig(t, { copyMs: 10_000, now: clock.now });
    await accept("slow", arm.addDisk({ name: "v2", sku: "PremiumV2_LRS", zones: ["1"] }));
    await accept("fast", arm.addDisk({ name: "pv" }));

    const restore = (name: string): Promise<unknown> =>
      client.disks.createOrUpdate(
        group,
        `of-${name}`,
        { location, creationData: { createOption: "Copy", sourceResourceId: idOf("snapshots", name) } },
        often,
      );

    assert.deepEqual(await failureOf(restore("slow")), { code: "OperationNotAllowed", status: 409 });
    await restore("fast");
    assert.equal((await client.snapshots.get(group, "slow")).snapshotAccessState, "Pending");
    clock.move(10_000);
    await restore("slow");
  });

  test("a copy whose source is deleted fails with CopySourceNotFound", async (t) => {
    const clock = stoppedClock();
    const { arm, client, copy } = await startRig(t, { copyMs: 10_000, now: clock.now });
    await copy("copy", arm.addSnapshot({ name: "source" }));
    clock.move(5000);

    await client.snapshots.delete(group, "source", often);

    clock.move(60_000);
    const { completionPercent, copyCompletionError } = await client.snapshots.get(group, "copy");
    assert.deepEqual([completionPercent, copyCompletionError?.errorCode], [50, "CopySourceNotFound"]);
  });

  test("only one snapshot of a disk is copied at a time", async (t) => {
    const clock = stoppedClock();
    const { arm, accept, copy } = await startRig(t, { copyMs: 10_000, now: clock.now });
    const disk = arm.addDisk({ name: "pv" });
    await accept("one", disk);
    clock.move(1);
    await accept("two", disk);
    await copy("copy-one", idOf("snapshots", "one"));

    const second = copy("copy-two", idOf("snapshots", "two"));

    assert.deepEqual(await failureOf(second), { code: "OperationNotAllowed", status: 409 });
    clock.move(10_000);
    await copy("copy-two", idOf("snapshots", "two"));
  });

  test("snapshots of a disk are copied in the order of their creation", async (t) => {
    const clock = stoppedClock();
    const { arm, accept, copy } = await startRig(t, { now: clock.now });
    const disk = arm.addDisk({ name: "pv" });
    await accept("one", disk);
    clock.move(1);
    await accept("two", disk);
    await copy("copy-two", idOf("snapshots", "two"));

    const late = copy("copy-one", idOf("snapshots", "one"));

    assert.deepEqual(await failureOf(late), { code: "OperationNotAllowed", status: 409 });
  });

  test("a copy within a region is refused", async (t) => {
    const { arm, accept } = await startRig(t);
    const sourceResourceId = arm.addSnapshot({ name: "source" });

    const copy = accept("copy", sourceResourceId, { creationData: { createOption: "CopyStart", sourceResourceId } });

    assert.deepEqual(await failureOf(copy), { code: "InvalidParameter", status: 400 });
  });
});
