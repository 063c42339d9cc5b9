import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";

import { startVolumeRig } from "./volume-rig.ts";

// Projects of before there were organisations have the domain of their owner in their names.
const scoped = "example.com:cluster";
const vault = "example.com:vault";
const rig = await startVolumeRig({ projects: ["flotilla", scoped, vault] });
after(() => rig.close());

const zone = "us-central1-a";
const tags = { "velero.io/backup": "b" };

function volumeOf(handle: string): JsonObject {
  const volume =
    parseJson(`{"kind":"PersistentVolume","apiVersion":"v1","spec":{"csi":{"driver":"pd.csi.storage.gke.io",
    "volumeHandle":"${handle}"}}}`);
  assert.ok(isJsonObject(volume));
  return volume;
}

describe("projects with a domain in their names", { timeout: 240_000 }, () => {
  test("a disk there is snapshotted into another such project and restored", async () => {
    const config = { volumeProject: scoped, project: vault };
    const snapshotter = await rig.open({ session: rig.start(), config });
    rig.addDisk({ name: "scoped", project: scoped, zone });
    const volume = volumeOf(`projects/${scoped}/zones/${zone}/disks/scoped`);

    const volumeId = await snapshotter.getVolumeId(volume);
    const { volumeType } = await snapshotter.getVolumeInfo({ volumeId, volumeAz: zone });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    await rig.untilReady(snapshotId, vault);
    const restoredId = await snapshotter.createVolumeFromSnapshot({
      snapshotId,
      volumeType,
      volumeAz: zone,
      iops: undefined,
    });
    const written = await snapshotter.setVolumeId(volume, restoredId);

    assert.ok(rig.disk(restoredId, `zones/${zone}`, scoped));
    assert.deepEqual(written, volumeOf(`projects/${scoped}/zones/${zone}/disks/${restoredId}`));
  });
});

describe("a PersistentVolume whose disk is not in the project of the location", { timeout: 240_000 }, () => {
  test("its own disk is snapshotted, and never one of the same name in the location's project", async () => {
    const snapshotter = await rig.open({ session: rig.start() });
    rig.addDisk({ name: "mysql-data", zone, sizeGb: 10 });
    rig.addDisk({ name: "mysql-data", project: scoped, zone, sizeGb: 20 });
    const volume = volumeOf(`projects/${scoped}/zones/${zone}/disks/mysql-data`);

    const volumeId = await snapshotter.getVolumeId(volume);
    const { volumeType } = await snapshotter.getVolumeInfo({ volumeId, volumeAz: zone });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    assert.match(volumeType, new RegExp(`projects/${scoped}/`));
    assert.match(rig.snapshot(snapshotId).sourceDisk ?? "", new RegExp(`projects/${scoped}/.*/mysql-data$`));
  });

  test("without a project in its handle, the disk is the location's", async () => {
    const snapshotter = await rig.open({ session: rig.start() });
    rig.addDisk({ name: "underspecified", zone });
    const volume = volumeOf("projects/UNSPECIFIED/zones/UNSPECIFIED/disks/underspecified");

    const volumeId = await snapshotter.getVolumeId(volume);
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    assert.match(rig.snapshot(snapshotId).sourceDisk ?? "", /\/underspecified$/);
  });
});
