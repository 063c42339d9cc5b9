import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";

import { project, startVolumeRig } from "./volume-rig.ts";

// The server takes the first value of each expression for the zone of a volume: of a PersistentVolume that names both
// zones of its disk in one expression, as Google's documents show it, it records one zone only.
const rig = await startVolumeRig();
after(() => rig.close());

const zones = ["us-central1-a", "us-central1-b"] as const;
const region = "us-central1";
const tags = { "velero.io/backup": "b" };
const volumeType = `projects/${project}/regions/${region}/diskTypes/pd-balanced`;

function volumeOf(name: string): JsonObject {
  const expression = { key: "topology.gke.io/zone", operator: "In", values: zones };
  const volume = parseJson(
    JSON.stringify({
      apiVersion: "v1",
      kind: "PersistentVolume",
      spec: {
        csi: { driver: "pd.csi.storage.gke.io", volumeHandle: `projects/${project}/regions/${region}/disks/${name}` },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
      },
    }),
  );
  assert.ok(isJsonObject(volume));
  return volume;
}

describe("a disk in two zones of which the server records one", { timeout: 240_000 }, () => {
  for (const volumeAz of ["us-central1-a", ""]) {
    test(`recorded as "${volumeAz}", it is restored into both, as its PersistentVolume says`, async () => {
      const snapshotter = await rig.open({ session: rig.start() });
      const volume = volumeOf(rig.addDisk({ replicaZones: [...zones] }));

      const volumeId = await snapshotter.getVolumeId(volume);
      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz, tags });
      const other = await rig.open({ session: rig.start() });
      const restoredId = await other.createVolumeFromSnapshot({ snapshotId, volumeType, volumeAz, iops: undefined });
      const written = await other.setVolumeId(volume, restoredId);

      const disk = rig.disk(restoredId, `regions/${region}`);
      assert.deepEqual(
        disk.replicaZones?.map((url) => url.slice(url.lastIndexOf("/") + 1)),
        zones,
      );
      assert.deepEqual(written, volumeOf(restoredId));
      assert.deepEqual(JSON.parse(disk.description ?? ""), tags);
    });
  }

  test("recorded with both zones, its snapshot is marked by nothing of ours", async () => {
    const snapshotter = await rig.open({ session: rig.start() });
    const volumeId = rig.addDisk({ replicaZones: [...zones] });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zones.join("__"), tags });

    assert.deepEqual(JSON.parse(rig.snapshot(snapshotId).description ?? ""), tags);
  });
});
