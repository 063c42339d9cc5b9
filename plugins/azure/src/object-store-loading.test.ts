import assert from "node:assert/strict";
import { test } from "node:test";
import { packagesLoadedBy } from "./testing/loaded-packages.ts";

test("opening a BackupStorageLocation evaluates neither the compute client nor, with an access key, the identity SDK", async () => {
  const loaded = await packagesLoadedBy("ObjectStore", {
    bucket: "b",
    storageAccount: "a",
    storageAccountKeyEnvVar: "AZURE_KEY",
    storageAccountURI: "https://a.example/",
  });

  assert.ok(loaded.has("@azure/storage-blob"));
  assert.ok(!loaded.has("@azure/arm-compute"));
  assert.ok(!loaded.has("@azure/identity"));
});
