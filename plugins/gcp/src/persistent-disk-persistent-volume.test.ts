import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, isKind, parseJson, printJson } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";
import type { DiskLocation } from "./persistent-disk-ids.ts";
import { readVolumeSource, writeVolumeId } from "./persistent-disk-persistent-volume.ts";

function volumeOf(source: string, affinity = ""): JsonObject {
  const volume = parseJson(
    `{"metadata":{"name":"pv","labels":{"topology.kubernetes.io/zone":"us-central1-a","topology.kubernetes.io/region":"us-central1","a":"b"}},` +
      `"spec":{"n":9007199254740993,${affinity}${source}}}`,
  );
  assert.ok(isJsonObject(volume));
  return volume;
}

function csi(handle: string, driver = "pd.csi.storage.gke.io", affinity = ""): JsonObject {
  return volumeOf(`"csi":{"driver":"${driver}","volumeHandle":"${handle}","fsType":"ext4"}`, affinity);
}

const inTree = volumeOf(`"gcePersistentDisk":{"pdName":"disk-1","partition":1}`);
const zonal = "projects/p/zones/us-central1-a/disks/pvc-1";

for (const driver of ["pd.csi.storage.gke.io", "gcp.csi.confidential.cloud"])
  test(`a volume of ${driver} is known by the last name of its handle`, () => {
    assert.equal(readVolumeSource(csi(zonal, driver))?.name, "pvc-1");
  });

test("a handle of another form is an error, as for the official plugin", () => {
  for (const handle of ["", "pvc-1", "projects/p/zones/z/disks/", "projects/p/global/disks/d"])
    for (const act of [
      () => readVolumeSource(csi(handle)),
      () => writeVolumeId(csi(handle), { name: "n", project: "p", location: undefined }),
    ])
      assert.throws(act, (error) => isKind(error, "invalid-argument") && error.message.includes("projects/PROJECT"));
});

test("an in-tree volume is known by its name, and without one is an error", () => {
  assert.deepEqual(readVolumeSource(inTree), { name: "disk-1", handle: undefined });
  assert.throws(
    () => readVolumeSource(volumeOf(`"gcePersistentDisk":{"pdName":""}`)),
    (error) => isKind(error, "invalid-argument") && error.message.includes("pdName"),
  );
});

test("a volume of any other kind is nobody's here", () => {
  assert.equal(readVolumeSource(csi("vol-1", "ebs.csi.aws.com")), undefined);
  assert.equal(readVolumeSource(volumeOf(`"nfs":{"server":"s","path":"/"}`)), undefined);
});

test("a CSI volume gets the name of the restored disk and keeps everything else", () => {
  const written = writeVolumeId(csi(zonal), { name: "restore-1", project: "p", location: undefined });

  assert.equal(printJson(written), printJson(csi("projects/p/zones/us-central1-a/disks/restore-1")));
});

test("a handle of another project is given the project of the restored disk", () => {
  const handle = "projects/former/regions/us-central1/disks/pvc-1";

  const written = writeVolumeId(csi(handle), { name: "restore-1", project: "p", location: undefined });

  assert.equal(printJson(written), printJson(csi("projects/p/regions/us-central1/disks/restore-1")));
});

test("an in-tree volume gets the name of the restored disk and keeps everything else", () => {
  const written = writeVolumeId(inTree, { name: "restore-1", project: "p", location: undefined });

  assert.equal(printJson(written), printJson(inTree).replace("disk-1", "restore-1"));
});

function affinityOf(...values: string[]): string {
  const expressions = [
    { key: "topology.gke.io/zone", operator: "In", values },
    { key: "topology.kubernetes.io/region", operator: "In", values: [values[0]?.slice(0, -2)] },
    { key: "disk", operator: "Exists" },
  ];
  const required = { nodeSelectorTerms: [{ matchExpressions: expressions }, {}] };
  return `"nodeAffinity":${JSON.stringify({ required })},`;
}

test("a disk that was restored in another zone takes its PersistentVolume along", () => {
  const location: DiskLocation = { scope: "zones", name: "europe-west1-b" };
  const before = csi(zonal, undefined, affinityOf("us-central1-a"));

  const written = writeVolumeId(before, { name: "restore-1", project: "p", location });

  const expected = csi("projects/p/zones/europe-west1-b/disks/restore-1", undefined, affinityOf("europe-west1-b"));
  const moved = printJson(expected).replace(`zone":"us-central1-a"`, `zone":"europe-west1-b"`);
  assert.equal(printJson(written), moved.replace(`region":"us-central1"`, `region":"europe-west1"`));
});

test("a disk that was restored into two zones has both in its PersistentVolume", () => {
  const replicaZones = ["us-central1-b", "us-central1-c"];
  const location: DiskLocation = { scope: "regions", name: "us-central1", replicaZones };
  const before = csi(zonal, undefined, affinityOf("us-central1-a"));

  const written = writeVolumeId(before, { name: "restore-1", project: "p", location });

  const expected = csi("projects/p/regions/us-central1/disks/restore-1", undefined, affinityOf(...replicaZones));
  assert.equal(
    printJson(written),
    printJson(expected).replace(`zone":"us-central1-a"`, `zone":"us-central1-b__us-central1-c"`),
  );
});

test("a disk that was restored where it was leaves its PersistentVolume there", () => {
  const location: DiskLocation = { scope: "zones", name: "us-central1-a" };
  const before = csi(zonal, undefined, affinityOf("us-central1-a"));

  const written = writeVolumeId(before, { name: "restore-1", project: "p", location });

  assert.equal(printJson(written), printJson(before).replace("disks/pvc-1", "disks/restore-1"));
});

test("another driver's volume and one without a source are errors", () => {
  const disk = { name: "restore-1", project: "p", location: undefined };

  assert.throws(() => writeVolumeId(csi("vol-1", "ebs.csi.aws.com"), disk), /ebs\.csi\.aws\.com/);
  assert.throws(() => writeVolumeId(volumeOf(`"nfs":{}`), disk), /neither spec\.csi nor spec\.gcePersistentDisk/);
});
