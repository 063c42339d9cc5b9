import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, PluginError } from "@flotilla/sdk/plugin";
import { TestClock } from "@flotilla/sdk/testing";
import type { ComputeId } from "./managed-disk-ids.ts";
import { printComputeId } from "./managed-disk-ids.ts";
import { ManagedDiskLifecycle } from "./managed-disk-lifecycle.ts";
import { quietCall } from "./testing/call.ts";
import { pending, ScriptedDisks } from "./testing/scripted-disks.ts";

const snapshot: ComputeId = { subscription: "s", resourceGroup: "g", type: "snapshots", name: "pvc-1" };
const conflict = new PluginError("busy", { kind: "conflict" });
const notFound = new PluginError("snapshot not found", { kind: "not-found" });
const failedLater = new PluginError("failed later", { kind: "unavailable" });

function open(api: ScriptedDisks): ManagedDiskLifecycle {
  const clock = new TestClock({ skipsSleep: true });
  return new ManagedDiskLifecycle({
    api,
    apiTimeoutMs: 120_000,
    isWaiting: false,
    waitTimeoutMs: 1,
    clock,
    random: () => 1,
  });
}

async function create(api: ScriptedDisks): Promise<void> {
  await open(api).create(snapshot, async () => await api.createSnapshot(snapshot, { location: "w" }), quietCall);
}

for (const [end, look, message] of [
  ["fails later", { done: true, value: failedLater }, /failed later; the unfinished snapshot was deleted$/],
  ["is not made in time", pending, /40 %.*raise the location's key apiTimeout; the unfinished snapshot was deleted$/],
] as const)
  test(`a snapshot of a disk that was busy at first and that ${end} is not left behind`, async () => {
    const api = new ScriptedDisks();
    api.refusals = [conflict];
    api.snapshots = [notFound];
    api.looks = [look];

    await assert.rejects(create(api), message);

    assert.equal(api.created.length, 2);
    assert.deepEqual(api.deleted, [printComputeId(snapshot)]);
  });

test("a disk that never becomes free leaves nothing to delete", async () => {
  const api = new ScriptedDisks();
  api.refusals = [conflict, conflict, conflict, conflict];
  api.snapshots = [notFound];

  await assert.rejects(create(api), conflict);

  assert.deepEqual(api.deleted, []);
});

for (const kind of ["held", "denied"] as const) {
  const refusal = new PluginError(`the deletion is ${kind}`, { kind });

  test(`a deletion that is ${kind} of a snapshot that is gone already says that it is gone`, async () => {
    const api = new ScriptedDisks();
    api.deletions = [refusal];
    api.snapshots = [notFound];

    await assert.rejects(open(api).delete(snapshot, quietCall), (error) => isKind(error, "not-found"));
  });

  test(`a deletion that is ${kind} of a snapshot that is there is an error`, async () => {
    const api = new ScriptedDisks();
    api.deletions = [refusal];

    await assert.rejects(open(api).delete(snapshot, quietCall), refusal);
  });
}
