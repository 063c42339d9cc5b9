import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, silentLogger } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { TestClock } from "@flotilla/sdk/testing";
import { PersistentDiskPlaces } from "./persistent-disk-places.ts";
import { DiskTypesThere } from "./persistent-disk-types-there.ts";
import { DiskWhereabouts, placeOfDisk, placeToRestore } from "./persistent-disk-whereabouts.ts";
import { ScriptedDisks } from "./testing/scripted-disks.ts";
import { PersistentDiskVolumeSnapshotter } from "./volume-snapshotter.ts";

const call: Call = { log: silentLogger, signal: new AbortController().signal };
const zonal = { project: "p", scope: "zones", location: "us-central1-a", name: "d" } as const;
const regional = { project: "p", scope: "regions", location: "us-central1", name: "d" } as const;

test("the server says where a disk is; its handle counts where the server does not", () => {
  assert.deepEqual(placeOfDisk("us-east1-b", zonal), { scope: "zones", name: "us-east1-b" });
  assert.deepEqual(placeOfDisk("", zonal), { scope: "zones", name: "us-central1-a" });
  assert.deepEqual(placeOfDisk("", regional), { scope: "regions", name: "us-central1", replicaZones: [] });
});

test("a regional disk of which the server names one zone is looked for in the region", () => {
  assert.equal(placeOfDisk("us-central1-b", regional).scope, "regions");
  assert.equal(placeOfDisk("us-east1-b", regional).scope, "zones");
});

test("without any place there is no disk to find", () => {
  for (const handle of [undefined, { ...zonal, location: "UNSPECIFIED" }])
    assert.throws(
      () => placeOfDisk("", handle),
      (error) => isKind(error, "invalid-argument"),
    );
  assert.throws(() => placeToRestore("", regional), /zone/);
});

test("a disk is restored where the server says, whatever the disk was", () => {
  assert.deepEqual(placeToRestore("us-central1-b", regional), { scope: "zones", name: "us-central1-b" });
});

test("an id speaks for the location that gave it out, less for the one of its handle's project", async () => {
  const whereabouts = new DiskWhereabouts();
  const open = (diskProject: string): PersistentDiskVolumeSnapshotter =>
    new PersistentDiskVolumeSnapshotter({
      api: new ScriptedDisks(),
      diskProject,
      snapshotProject: diskProject,
      whereabouts,
      snapshotLocation: undefined,
      snapshotType: "STANDARD",
      kmsKeyName: undefined,
      places: new PersistentDiskPlaces({ zoneMap: new Map(), defaultZone: undefined }),
      types: new DiskTypesThere(new ScriptedDisks(), diskProject),
      isWaiting: false,
      waitTimeoutMs: 1000,
      clock: new TestClock({ skipsSleep: true }),
      random: () => 1,
    });
  const [red, blue] = [open("red"), open("blue")];
  const volumeHandle = "projects/red/zones/us-central1-a/disks/data";

  const volumeId = await blue.getVolumeId({ spec: { csi: { driver: "pd.csi.storage.gke.io", volumeHandle } } }, call);
  const snapshotId = await red.createSnapshot({ volumeId, volumeAz: "", tags: {} }, call);
  const restoredId = await red.createVolumeFromSnapshot(
    { snapshotId, volumeType: "", volumeAz: "us-central1-a", iops: undefined },
    call,
  );

  assert.deepEqual(
    [volumeId, snapshotId, restoredId, "other"].map((id) => [red.affinity(id), blue.affinity(id)]),
    [
      [1, 0],
      [2, 0],
      [2, 0],
      [0, 0],
    ],
  );
});
