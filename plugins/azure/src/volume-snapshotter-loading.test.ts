import assert from "node:assert/strict";
import { test } from "node:test";
import { packagesLoadedBy } from "./testing/loaded-packages.ts";

test("opening a VolumeSnapshotLocation evaluates neither the blob client nor, before the first token, the identity SDK", async () => {
  const loaded = await packagesLoadedBy("VolumeSnapshotter", {});

  assert.ok(loaded.has("@azure/arm-compute"));
  assert.ok(!loaded.has("@azure/storage-blob"));
  assert.ok(!loaded.has("@azure/identity"));
});
