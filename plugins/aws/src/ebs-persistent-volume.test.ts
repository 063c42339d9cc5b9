import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, parseJson, printJson } from "@flotilla/sdk/plugin";
import type { PersistentVolume } from "@flotilla/sdk/plugin";
import { readVolumeId, writeVolumeId } from "./ebs-persistent-volume.ts";

function csi(driver: string, volumeHandle: string): PersistentVolume {
  return { kind: "PersistentVolume", spec: { csi: { driver, volumeHandle, extra: "kept" } } };
}

function inTree(volumeID: string, labels: Record<string, string> = {}): PersistentVolume {
  return { metadata: { labels }, spec: { awsElasticBlockStore: { volumeID, fsType: "ext4" } } };
}

const ids: readonly (readonly [name: string, volume: PersistentVolume, id: string])[] = [
  ["the EBS CSI driver", csi("ebs.csi.aws.com", "vol-0a1b"), "vol-0a1b"],
  ["the EBS CSI driver with a strange handle", csi("ebs.csi.aws.com", "strange"), ""],
  ["another CSI driver", csi("efs.csi.aws.com", "vol-0a1b"), ""],
  ["the in-tree source with a bare id", inTree("vol-0a1b"), "vol-0a1b"],
  ["the in-tree source with a zone", inTree("aws://us-east-1a/vol-0a1b"), "vol-0a1b"],
  ["no source of AWS", { spec: { hostPath: { path: "/x" } } }, ""],
];

for (const [name, volume, id] of ids)
  test(`a PersistentVolume of ${name} is the volume "${id}"`, () => {
    assert.equal(readVolumeId(volume), id);
  });

test("an empty in-tree id is an error", () => {
  assert.throws(
    () => readVolumeId(inTree("")),
    (error) => isKind(error, "invalid-argument"),
  );
});

test("a CSI volume gets the new handle, and everything else stays as it was", () => {
  const text =
    '{"kind":"PersistentVolume","spec":{"csi":{"driver":"ebs.csi.aws.com","volumeHandle":"vol-1","n":1e400}}}';
  const volume = parseJson(text);
  assert.ok(typeof volume === "object" && volume !== null && !Array.isArray(volume));

  // Parsed from an object's text just above.
  assert.equal(printJson(writeVolumeId(volume as PersistentVolume, "vol-2")), text.replace("vol-1", "vol-2"));
});

test("an in-tree volume gets the form with its zone where the label is there", () => {
  const labels = { "failure-domain.beta.kubernetes.io/zone": "us-east-1a" };

  assert.deepEqual(writeVolumeId(inTree("vol-1", labels), "vol-2"), inTree("aws://us-east-1a/vol-2", labels));
  assert.deepEqual(writeVolumeId(inTree("aws://z/vol-1"), "vol-2"), inTree("vol-2"));
});

test("a PersistentVolume of another driver is refused", () => {
  for (const volume of [csi("efs.csi.aws.com", "fs-1"), { spec: {} }])
    assert.throws(
      () => writeVolumeId(volume, "vol-2"),
      (error) => isKind(error, "invalid-argument"),
    );
});
