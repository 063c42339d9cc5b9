import assert from "node:assert/strict";
import { test } from "node:test";
import { modulesLoadedBy } from "./testing/loaded-modules.ts";

test("opening a BackupStorageLocation evaluates nothing of the snapshotter and no package of Google's", async () => {
  const loaded = [...(await modulesLoadedBy("ObjectStore", { bucket: "b" }))];

  assert.ok(loaded.includes("object-store.ts"));
  assert.deepEqual(
    loaded.filter((name) => /^(@google-cloud|google-auth|gce-|persistent-disk-|volume-snapshotter)/.test(name)),
    [],
  );
});
