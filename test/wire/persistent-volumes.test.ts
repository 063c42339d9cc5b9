import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { parseJson, isJsonObject } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";

import { failureOf } from "./bytes.ts";
import { startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig();
after(() => rig.close());
const snapshotter = await rig.open();

/** A PersistentVolume of this spec, with fields that no plugin knows and a number that a double cannot hold. */
function volumeOf(spec: string, labels = "{}"): JsonObject {
  const text = `{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"pv-1","labels":${labels},
    "annotations":{"example.com/unknown":"kept"}},"spec":{"capacity":{"storage":"1Gi"},"exampleNumber":9007199254740993,
    "futureField":{"nested":[1,2.50,null]},${spec}},"status":{"phase":"Bound"}}`;
  const volume = parseJson(text);
  assert.ok(isJsonObject(volume));
  return volume;
}

const csi = volumeOf(`"csi":{"driver":"ebs.csi.aws.com","volumeHandle":"vol-0aaa","fsType":"ext4"}`);
const inTree = volumeOf(`"awsElasticBlockStore":{"volumeID":"aws://us-east-1a/vol-0bbb","fsType":"ext4"}`);

describe("PersistentVolumes", { concurrency: true }, () => {
  test("an in-tree volume without an id is an error", async () => {
    const error = await failureOf(snapshotter.getVolumeId(volumeOf(`"awsElasticBlockStore":{"volumeID":""}`)));

    assert.equal(error.kind, "invalid-argument");
    assert.match(error.message, /volumeID/);
  });

  test("writing an id into a volume of another driver is an error", async () => {
    const volume = volumeOf(`"csi":{"driver":"disk.csi.azure.com","volumeHandle":"x"}`);

    const error = await failureOf(snapshotter.setVolumeId(volume, "vol-0ccc"));

    assert.equal(error.kind, "invalid-argument");
    assert.match(error.message, /disk\.csi\.azure\.com/);
  });

  for (const [name, spec] of [
    ["another CSI driver", `"csi":{"driver":"pd.csi.storage.gke.io","volumeHandle":"projects/p/zones/z/disks/d"}`],
    ["NFS", `"nfs":{"server":"10.0.0.1","path":"/"}`],
    ["a host path", `"hostPath":{"path":"/data"}`],
  ] as const) {
    test(`a volume of ${name} is nobody's here and no error`, async () => {
      assert.equal(await snapshotter.getVolumeId(volumeOf(spec)), "");
    });
  }

  for (const [name, volume, id] of [
    ["a CSI volume", csi, "vol-0aaa"],
    ["an in-tree volume in AWS's URL form", inTree, "vol-0bbb"],
    ["an in-tree volume with a bare id", volumeOf(`"awsElasticBlockStore":{"volumeID":"vol-0ccc"}`), "vol-0ccc"],
  ] as const) {
    test(`${name} names its EBS volume`, async () => {
      assert.equal(await snapshotter.getVolumeId(volume), id);
    });
  }

  test("a CSI volume is given the new id, and everything else is kept, unknown fields and big numbers too", async () => {
    const rewritten = await snapshotter.setVolumeId(csi, "vol-0ddd");

    const expected = volumeOf(`"csi":{"driver":"ebs.csi.aws.com","volumeHandle":"vol-0ddd","fsType":"ext4"}`);
    assert.equal(JSON.stringify(rewritten), JSON.stringify(expected));
    assert.match(JSON.stringify(rewritten), /9007199254740993.*2\.50/);
  });

  test("an in-tree volume with the old zone label is given the URL form", async () => {
    const labels = `{"failure-domain.beta.kubernetes.io/zone":"us-east-1b"}`;
    const source = (id: string): string => `"awsElasticBlockStore":{"volumeID":"${id}","fsType":"ext4"}`;

    const rewritten = await snapshotter.setVolumeId(volumeOf(source("vol-0bbb"), labels), "vol-0ddd");

    const expected = volumeOf(source("aws://us-east-1b/vol-0ddd"), labels);
    assert.equal(JSON.stringify(rewritten), JSON.stringify(expected));
  });

  test("an in-tree volume without that label is given the bare id", async () => {
    const rewritten = await snapshotter.setVolumeId(inTree, "vol-0ddd");

    const expected = volumeOf(`"awsElasticBlockStore":{"volumeID":"vol-0ddd","fsType":"ext4"}`);
    assert.equal(JSON.stringify(rewritten), JSON.stringify(expected));
  });

  test("reading and writing ids makes no request to EC2", async () => {
    await snapshotter.getVolumeId(csi);
    await snapshotter.setVolumeId(inTree, "vol-0eee");

    assert.deepEqual(rig.ec2.log.entries(), []);
  });
});
