import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestType } from "./ebs-volume-type.ts";

const base = { AvailabilityZone: "z", SnapshotId: "snap-1" };

for (const [title, input, nearest] of [
  ["gp2 has no other", { VolumeType: "gp2" }, undefined],
  ["no type at all has no other", {}, undefined],
  [
    "io2 becomes gp3 with as many IOPS as that can have",
    { VolumeType: "io2", Iops: 64_000 },
    { VolumeType: "gp3", Iops: 16_000 },
  ],
  ["few IOPS become the least that gp3 has", { VolumeType: "io1", Iops: 100 }, { VolumeType: "gp3", Iops: 3000 }],
  ["st1 becomes gp3", { VolumeType: "st1" }, { VolumeType: "gp3", Iops: undefined }],
  [
    "gp3 becomes gp2, without what that cannot have",
    { VolumeType: "gp3", Iops: 4000, Throughput: 250 },
    { VolumeType: "gp2", Iops: undefined, Throughput: undefined },
  ],
] as const) {
  test(title, () => {
    assert.deepEqual(nearestType({ ...base, ...input }), nearest && { ...base, ...nearest });
  });
}
