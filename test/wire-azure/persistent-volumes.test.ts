import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";

import { failureOf } from "../wire/bytes.ts";
import { armId, startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig();
after(() => rig.close());
const snapshotter = await rig.open();

/** A PersistentVolume of this spec, with fields that no plugin knows and a number that a double cannot hold. */
function volumeOf(spec: string): JsonObject {
  const text = `{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"pv-1","labels":{},
    "annotations":{"example.com/unknown":"kept"}},"spec":{"capacity":{"storage":"1Gi"},"exampleNumber":9007199254740993,
    "futureField":{"nested":[1,2.50,null]},"nodeAffinity":{"required":{"nodeSelectorTerms":[{"matchExpressions":[
    {"key":"topology.disk.csi.azure.com/zone","operator":"In","values":["eastus-1"]}]}]}},${spec}},
    "status":{"phase":"Bound"}}`;
  const volume = parseJson(text);
  assert.ok(isJsonObject(volume));
  return volume;
}

const elsewhere = armId("disks", "data-1", "databases", "66666666-6666-4666-8666-666666666666");

function csi(handle: string, driver = "disk.csi.azure.com"): JsonObject {
  return volumeOf(
    `"csi":{"driver":"${driver}","volumeHandle":"${handle}","volumeAttributes":{"skuName":"Premium_LRS"}}`,
  );
}

function inTree(name: string, uri: string): JsonObject {
  return volumeOf(`"azureDisk":{"cachingMode":"ReadWrite","diskName":"${name}","diskURI":"${uri}","kind":"Managed"}`);
}

describe("PersistentVolumes", { concurrency: true, timeout: 240_000 }, () => {
  test("an in-tree volume without a name is an error", async () => {
    const error = await failureOf(snapshotter.getVolumeId(inTree("", "")));

    assert.equal(error.kind, "invalid-argument");
    assert.match(error.message, /diskName/);
  });

  test("writing an id into a volume of another driver is an error", async () => {
    const error = await failureOf(snapshotter.setVolumeId(csi("x", "file.csi.azure.com"), "restore-1"));

    assert.equal(error.kind, "invalid-argument");
    assert.match(error.message, /file\.csi\.azure\.com/);
  });

  for (const [name, volume] of [
    ["Azure Files", csi("rg#account#share", "file.csi.azure.com")],
    ["another cloud's driver", csi("vol-0aaa", "ebs.csi.aws.com")],
    ["NFS", volumeOf(`"nfs":{"server":"10.0.0.1","path":"/"}`)],
    ["the disk driver with a handle that is no disk's", csi("strange")],
  ] as const) {
    test(`a volume of ${name} is nobody's here and no error`, async () => {
      assert.equal(await snapshotter.getVolumeId(volume), "");
    });
  }

  for (const [name, volume, id] of [
    ["a CSI volume", csi(armId("disks", "pvc-1")), "pvc-1"],
    ["a CSI volume whose handle is in lower case", csi(armId("disks", "pvc-1").toLowerCase()), "pvc-1"],
    ["a CSI volume elsewhere", csi(elsewhere), elsewhere],
    ["an in-tree volume", inTree("disk-1", armId("disks", "disk-1")), "disk-1"],
    ["an in-tree volume without a URI", inTree("disk-1", ""), "disk-1"],
    ["an in-tree volume elsewhere", inTree("data-1", elsewhere), elsewhere],
  ] as const) {
    test(`${name} names its disk`, async () => {
      assert.equal(await snapshotter.getVolumeId(volume), id);
    });
  }

  test("a CSI volume is given the new disk's ARM id, and everything else is kept", async () => {
    const rewritten = await snapshotter.setVolumeId(csi(armId("disks", "pvc-1").toLowerCase()), "restore-1");

    assert.equal(JSON.stringify(rewritten), JSON.stringify(csi(armId("disks", "restore-1"))));
    assert.match(JSON.stringify(rewritten), /9007199254740993.*2\.50/);
  });

  test("an in-tree volume is given the new disk's name and ARM id, and everything else is kept", async () => {
    const rewritten = await snapshotter.setVolumeId(inTree("data-1", elsewhere), "restore-1");

    assert.equal(JSON.stringify(rewritten), JSON.stringify(inTree("restore-1", armId("disks", "restore-1"))));
  });

  test("a volume of a disk elsewhere is read, snapshotted and restored into the cluster's resource group", async () => {
    rig.arm.addDisk({
      name: "data-1",
      resourceGroup: "databases",
      subscriptionId: "66666666-6666-4666-8666-666666666666",
    });
    const volumeId = await snapshotter.getVolumeId(csi(elsewhere.replace("resourceGroups", "resourcegroups")));

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} });
    const request = { snapshotId, volumeType: "Premium_LRS", volumeAz: "", iops: undefined };
    const restoredId = await snapshotter.createVolumeFromSnapshot(request);

    assert.ok(snapshotId.startsWith(armId("snapshots", "data-1-")));
    assert.ok(rig.arm.find(armId("disks", restoredId)));
  });

  test("reading and writing ids makes no request to Azure", async () => {
    const quiet = await rig.open({ session: rig.start() });
    const isOfDisk = /quiet-1/;

    await quiet.getVolumeId(csi(armId("disks", "quiet-1")));
    await quiet.setVolumeId(csi(armId("disks", "quiet-1")), "quiet-1");

    assert.deepEqual(
      rig.arm.log.entries().filter(({ key = "" }) => isOfDisk.test(key)),
      [],
    );
  });
});
