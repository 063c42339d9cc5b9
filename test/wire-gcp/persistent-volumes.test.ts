import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";

import { failureOf } from "../wire/bytes.ts";
import { project, startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig();
after(() => rig.close());
const snapshotter = await rig.open();

/** A PersistentVolume of this spec, with fields that no plugin knows and a number that a double cannot hold. */
function volumeOf(spec: string, zone = "us-central1-a"): JsonObject {
  const text = `{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"pv-1",
    "labels":{"topology.kubernetes.io/region":"${zone.slice(0, -2)}","topology.kubernetes.io/zone":"${zone}"},
    "annotations":{"example.com/unknown":"kept"}},"spec":{"capacity":{"storage":"1Gi"},"exampleNumber":9007199254740993,
    "futureField":{"nested":[1,2.50,null]},"nodeAffinity":{"required":{"nodeSelectorTerms":[{"matchExpressions":[
    {"key":"topology.gke.io/zone","operator":"In","values":["${zone}"]}]}]}},${spec}},
    "status":{"phase":"Bound"}}`;
  const volume = parseJson(text);
  assert.ok(isJsonObject(volume));
  return volume;
}

function csi(handle: string, driver = "pd.csi.storage.gke.io", zone?: string): JsonObject {
  const attributes = `"volumeAttributes":{"storage.kubernetes.io/csiProvisionerIdentity":"x"}`;
  return volumeOf(`"csi":{"driver":"${driver}","fsType":"ext4",${attributes},"volumeHandle":"${handle}"}`, zone);
}

function inTree(name: string): JsonObject {
  return volumeOf(`"gcePersistentDisk":{"fsType":"ext4","partition":1,"pdName":"${name}"}`);
}

function handleOf(name: string, place = "zones/us-central1-a", ofProject = project): string {
  return `projects/${ofProject}/${place}/disks/${name}`;
}

describe("PersistentVolumes", { concurrency: true, timeout: 240_000 }, () => {
  test("an in-tree volume without a name is an error", async () => {
    const error = await failureOf(snapshotter.getVolumeId(inTree("")));

    assert.equal(error.kind, "invalid-argument");
    assert.match(error.message, /pdName/);
  });

  test("a handle of another form is an error, in reading and in writing", async () => {
    for (const handle of ["pvc-1", "projects/p/zones/z/disks/", "projects/p/global/disks/pvc-1"]) {
      assert.equal((await failureOf(snapshotter.getVolumeId(csi(handle)))).kind, "invalid-argument");
      assert.equal((await failureOf(snapshotter.setVolumeId(csi(handle), "restore-1"))).kind, "invalid-argument");
    }
  });

  test("writing an id into a volume of another driver, or of none, is an error", async () => {
    const other = await failureOf(snapshotter.setVolumeId(csi("x", "filestore.csi.storage.gke.io"), "restore-1"));
    const none = await failureOf(snapshotter.setVolumeId(volumeOf(`"nfs":{"server":"10.0.0.1"}`), "restore-1"));

    assert.match(other.message, /filestore\.csi\.storage\.gke\.io/);
    assert.match(none.message, /neither spec\.csi nor spec\.gcePersistentDisk/);
  });

  for (const [name, volume] of [
    ["Filestore", csi("modeInstance/us-central1-a/x/vol1", "filestore.csi.storage.gke.io")],
    ["another cloud's driver", csi("vol-0aaa", "ebs.csi.aws.com")],
    ["NFS", volumeOf(`"nfs":{"server":"10.0.0.1","path":"/"}`)],
  ] as const)
    test(`a volume of ${name} is nobody's here and no error`, async () => {
      assert.equal(await snapshotter.getVolumeId(volume), "");
    });

  for (const [name, volume] of [
    ["a zonal CSI volume", csi(handleOf("disk-1"))],
    ["a regional CSI volume", csi(handleOf("disk-1", "regions/us-central1"))],
    ["a confidential CSI volume", csi(handleOf("disk-1"), "gcp.csi.confidential.cloud")],
    ["a CSI volume of another project", csi(handleOf("disk-1", undefined, "elsewhere"))],
    ["a CSI volume of an unspecified place", csi(handleOf("disk-1", "zones/UNSPECIFIED", "UNSPECIFIED"))],
    ["an in-tree volume", inTree("disk-1")],
  ] as const)
    test(`${name} names its disk`, async () => {
      assert.equal(await snapshotter.getVolumeId(volume), "disk-1");
    });

  for (const place of ["zones/us-central1-a", "regions/us-central1"])
    test(`a CSI volume in ${place} is given the new disk's name, and everything else is kept`, async () => {
      const rewritten = await snapshotter.setVolumeId(csi(handleOf("pvc-1", place)), "restore-1");

      assert.equal(JSON.stringify(rewritten), JSON.stringify(csi(handleOf("restore-1", place))));
      assert.match(JSON.stringify(rewritten), /9007199254740993.*2\.50/);
    });

  test("a CSI volume of another project is given the project of the restored disk", async () => {
    const rewritten = await snapshotter.setVolumeId(csi(handleOf("pvc-1", undefined, "former")), "restore-1");

    assert.equal(JSON.stringify(rewritten), JSON.stringify(csi(handleOf("restore-1"))));
  });

  test("an in-tree volume is given the new disk's name, and everything else is kept", async () => {
    const rewritten = await snapshotter.setVolumeId(inTree("data-1"), "restore-1");

    assert.equal(JSON.stringify(rewritten), JSON.stringify(inTree("restore-1")));
  });

  test("reading and writing ids makes no request to Compute Engine, and none for a token", async () => {
    const quiet = await startVolumeRig();
    try {
      const location = await quiet.open();

      await location.getVolumeId(csi(handleOf("quiet-1")));
      await location.setVolumeId(csi(handleOf("quiet-1")), "restore-1");

      assert.deepEqual([...quiet.requests(), ...quiet.identity.log.entries()], []);
    } finally {
      await quiet.close();
    }
  });

  test("a volume restored in another zone moves with its disk: handle, labels and node affinity", async () => {
    const volumeId = rig.addDisk({ zone: "us-central1-a" });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "us-central1-a", tags: {} });
    const elsewhere = { snapshotId, volumeType: "pd-ssd", volumeAz: "europe-west1-b", iops: undefined };

    const restoredId = await snapshotter.createVolumeFromSnapshot(elsewhere);
    const rewritten = await snapshotter.setVolumeId(csi(handleOf(volumeId)), restoredId);

    const expected = csi(handleOf(restoredId, "zones/europe-west1-b"), undefined, "europe-west1-b");
    assert.equal(JSON.stringify(rewritten), JSON.stringify(expected));
  });
});
