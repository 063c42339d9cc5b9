import assert from "node:assert/strict";
import { test } from "node:test";
import { restoredShape } from "./managed-disk-restore.ts";
import { quietCall } from "./testing/call.ts";
import { restoreRules, ScriptedDisks } from "./testing/scripted-disks.ts";

const type = "EncryptionAtRestWithCustomerKey";
const request = { snapshotId: "s", volumeType: "Premium_LRS", volumeAz: "", iops: undefined };

test("a customer's key whose id was too long for a tag is found in the snapshot itself", async () => {
  const encryption = { type, diskEncryptionSetId: "/subscriptions/s/…/diskEncryptionSets/long" };
  const snapshot = { location: "westeurope", encryption, tags: { "flotilla.io-encryption-type": type } };

  const shape = await restoredShape(request, snapshot, restoreRules(new ScriptedDisks()), quietCall);

  assert.deepEqual(shape.encryption, encryption);
});

test("a snapshot of the official plugin, without marks, leaves the key to Azure", async () => {
  const snapshot = { location: "westeurope", encryption: { type, diskEncryptionSetId: "/subscriptions/s/…" } };

  const shape = await restoredShape(request, snapshot, restoreRules(new ScriptedDisks()), quietCall);

  assert.equal(shape.encryption, undefined);
});
