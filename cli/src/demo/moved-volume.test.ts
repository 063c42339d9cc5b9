import assert from "node:assert/strict";
import { test } from "node:test";

import type { JsonObject } from "@flotilla/sdk/plugin";

import { compareMoved } from "./moved-volume.ts";

const move = { volumeId: "vol-2", from: "us-east-1", to: "eu-west-1" };

function volume(handle: string, zone: string, more: JsonObject = {}): JsonObject {
  return {
    kind: "PersistentVolume",
    metadata: { name: "pv", labels: { "topology.kubernetes.io/zone": zone } },
    spec: { csi: { volumeHandle: handle }, capacity: { storage: "8Gi" }, accessModes: ["ReadWriteOnce"], ...more },
  };
}

const before = volume("vol-1", "us-east-1a");

test("a new volume in the other region's zone is what a restore there shall come to, and each change is told", () => {
  const changes = compareMoved({ ...move, before, after: volume("vol-2", "eu-west-1b") });

  assert.deepEqual(changes, [
    'metadata.labels.topology.kubernetes.io/zone: "us-east-1a" is "eu-west-1b"',
    'spec.csi.volumeHandle: "vol-1" is "vol-2"',
  ]);
});

for (const [what, after, pattern] of [
  ["names its former volume", volume("vol-1", "eu-west-1b"), /does not name the volume vol-2/],
  ["stays in the lost zone", volume("vol-2", "us-east-1a"), /in the zone "us-east-1a"/],
  [
    "says another size",
    volume("vol-2", "eu-west-1b", { capacity: { storage: "9Gi" } }),
    /spec\.capacity\.storage: "8Gi"/,
  ],
  ["lacks a field", volume("vol-2", "eu-west-1b", { accessModes: [] }), /accessModes\.0: "ReadWriteOnce" is undefined/],
  ["has one more", volume("vol-2", "eu-west-1b", { volumeMode: "Block" }), /volumeMode: undefined is "Block"/],
] as const) {
  test(`a PersistentVolume that ${what} is not what was backed up`, () => {
    assert.throws(() => compareMoved({ ...move, before, after }), pattern);
  });
}
