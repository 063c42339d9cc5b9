import assert from "node:assert/strict";
import { test } from "node:test";
import { diskTypeName, diskTypeUrl, hasIops, hasThroughput } from "./persistent-disk-type.ts";

const zone = { scope: "zones", name: "europe-west1-b" } as const;

for (const recorded of [
  "https://www.googleapis.com/compute/v1/projects/old/zones/us-central1-a/diskTypes/pd-ssd",
  "https://compute.googleapis.com/compute/v1/projects/old/regions/us-central1/diskTypes/pd-ssd",
  "projects/old/zones/us-central1-a/diskTypes/pd-ssd",
  "zones/us-central1-a/diskTypes/pd-ssd",
  "pd-ssd",
])
  test(`the type recorded as ${recorded} is asked for where the disk is restored`, () => {
    assert.equal(diskTypeUrl(recorded, "new", zone), "projects/new/zones/europe-west1-b/diskTypes/pd-ssd");
  });

test("a regional disk has a type of its region", () => {
  const region = { scope: "regions", name: "us-central1", replicaZones: ["us-central1-a", "us-central1-b"] } as const;

  assert.equal(diskTypeUrl("pd-ssd", "p", region), "projects/p/regions/us-central1/diskTypes/pd-ssd");
});

test("only types whose performance is bought apart have IOPS or throughput of their own", () => {
  const types = ["pd-standard", "pd-balanced", "pd-ssd", "pd-extreme", "hyperdisk-balanced", "hyperdisk-throughput"];

  assert.deepEqual(types.filter(hasIops), ["pd-extreme", "hyperdisk-balanced"]);
  assert.deepEqual(types.filter(hasThroughput), ["hyperdisk-balanced", "hyperdisk-throughput"]);
  assert.ok(hasIops("https://www.googleapis.com/compute/v1/projects/p/zones/z/diskTypes/hyperdisk-extreme"));
  assert.equal(diskTypeName(""), "");
});
