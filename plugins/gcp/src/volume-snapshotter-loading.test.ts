import assert from "node:assert/strict";
import { test } from "node:test";
import { modulesLoadedBy } from "./testing/loaded-modules.ts";

test("opening a VolumeSnapshotLocation evaluates nothing of the object store and no package of Google's", async () => {
  const loaded = [...(await modulesLoadedBy("VolumeSnapshotter", {}))];

  assert.ok(loaded.includes("gce-session.ts"));
  assert.deepEqual(
    loaded.filter((name) => /^(@google-cloud|google-auth|gcs-|object-store)/.test(name)),
    [],
  );
});
