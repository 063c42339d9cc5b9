import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { JsonObject } from "@flotilla/sdk/plugin";

import { failureOf } from "../wire/bytes.ts";
import { toldLines } from "../wire/told-lines.ts";
import { homeRegion, homeZone, otherRegion, startSnapshotCopiesRig } from "./snapshot-copies-rig.ts";
import { project, typeUrl } from "./volume-rig.ts";

const missing = ["hyperdisk-extreme", "hyperdisk-balanced", "hyperdisk-balanced-high-availability"];
const regions = [
  { name: homeRegion, zones: ["us-central1-a", "us-central1-b", "us-central1-c"] },
  {
    name: otherRegion,
    zones: ["europe-west1-b", "europe-west1-c", "europe-west1-d"],
    withoutDiskTypes: missing,
  },
];
const rig = await startSnapshotCopiesRig({ regions });
after(() => rig.close());

const tags = { "velero.io/backup": "nightly", "velero.io/pv": "pv" };
const volumeAz = homeZone;
const zoneKey = "topology.gke.io/zone";

function volumeIn(zones: readonly string[], region: string, name = "former"): JsonObject {
  const place = zones.length > 1 ? `regions/${region}` : `zones/${zones[0]}`;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name: "pv",
      labels: {
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zones.join("__"),
        kept: "yes",
      },
    },
    spec: {
      csi: { driver: "pd.csi.storage.gke.io", volumeHandle: `projects/${project}/${place}/disks/${name}` },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: zoneKey, operator: "In", values: [...zones] }] }] },
      },
    },
  };
}

async function backUp(seed: Parameters<typeof rig.addDisk>[0] = {}, az = volumeAz): Promise<string> {
  const location = await rig.open();
  return await location.createSnapshot({ volumeId: rig.addDisk(seed), volumeAz: az, tags });
}

describe("a restore in another region", { concurrency: true, timeout: 600_000 }, () => {
  test("a disk whose zone is not there is refused until the location says which one to take", async () => {
    const snapshotId = await backUp();
    const other = await rig.open({ session: rig.start(), config: { zoneMap: "us-central1-b=europe-west1-b" } });

    const request = { snapshotId, volumeType: typeUrl("pd-ssd"), volumeAz, iops: undefined };
    const error = await failureOf(other.createVolumeFromSnapshot(request));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /us-central1-a is not in europe-west1.*zoneMap.*defaultZone/);
  });

  for (const [key, value, expected] of [
    ["defaultZone", "europe-west1-d", "europe-west1-d"],
    ["zoneMap", "us-central1-a=europe-west1-c, us-central1-b=europe-west1-b", "europe-west1-c"],
  ] as const) {
    test(`${key} "${value}" decides where the disk is restored, and its PersistentVolume says so`, async () => {
      const snapshotId = await backUp();
      const session = rig.start();
      const config = { [key]: value };
      const other = await rig.open({ session, config });

      const request = { snapshotId, volumeType: typeUrl("pd-ssd"), volumeAz, iops: undefined };
      const volumeId = await other.createVolumeFromSnapshot(request);
      const written = await other.setVolumeId(volumeIn([volumeAz], homeRegion), volumeId);
      const elsewhere = await rig.open({ session: rig.start(), config });
      const writtenElsewhere = await elsewhere.setVolumeId(volumeIn([volumeAz], homeRegion), volumeId);

      assert.ok(rig.disk(volumeId, `zones/${expected}`).type?.endsWith(typeUrl("pd-ssd", expected)));
      assert.deepEqual(written, volumeIn([expected], otherRegion, volumeId));
      assert.deepEqual(writtenElsewhere, written);
      const decisions = await toldLines(session, /another zone than the recorded/);
      assert.deepEqual(
        decisions.map(({ level, fields }) => [level, fields["recordedZone"], fields["zone"], fields["key"]]),
        [["info", volumeAz, expected, key]],
      );
    });
  }

  test("both zones of a regional disk are mapped, and its PersistentVolume says both", async () => {
    const recorded = "us-central1-a__us-central1-b";
    const snapshotId = await backUp({ replicaZones: ["us-central1-a", "us-central1-b"] }, recorded);
    const zoneMap = "us-central1-a=europe-west1-b us-central1-b=europe-west1-c";
    const other = await rig.open({ session: rig.start(), config: { zoneMap } });
    const volumeType = `projects/${project}/regions/${homeRegion}/diskTypes/pd-balanced`;

    const request = { snapshotId, volumeType, volumeAz: recorded, iops: undefined };
    const volumeId = await other.createVolumeFromSnapshot(request);
    const pv = volumeIn(["us-central1-a", "us-central1-b"], homeRegion);
    const written = await other.setVolumeId(pv, volumeId);

    assert.equal(rig.disk(volumeId, `regions/${otherRegion}`).replicaZones?.length, 2);
    assert.deepEqual(written, volumeIn(["europe-west1-b", "europe-west1-c"], otherRegion, volumeId));
  });

  test("a type that the region does not have becomes the nearest one, and one line says so", async () => {
    const snapshotId = await backUp({ type: "hyperdisk-extreme", sizeGb: 100, iops: 5000 });
    const session = rig.start();
    const other = await rig.open({ session, config: { defaultZone: "europe-west1-b" } });

    const request = { snapshotId, volumeType: typeUrl("hyperdisk-extreme"), volumeAz, iops: 5000n };
    const volumeId = await other.createVolumeFromSnapshot(request);

    const disk = rig.disk(volumeId, "zones/europe-west1-b");
    assert.ok(disk.type?.endsWith("/pd-ssd"));
    assert.equal(disk.provisionedIops, undefined);
    const told = await toldLines(session, /type does not exist/);
    assert.deepEqual(
      told.map(({ level, fields }) => [level, fields["recordedType"], fields["type"]]),
      [["info", "hyperdisk-extreme", "pd-ssd"]],
    );
  });

  test("a PersistentVolume is not written for a disk that is nowhere: nobody could attach what it says", async () => {
    const other = await rig.open({ session: rig.start(), config: { defaultZone: "europe-west1-b" } });

    const error = await failureOf(other.setVolumeId(volumeIn([volumeAz], homeRegion), "restore-gone"));

    assert.equal(error.kind, "not-found");
    assert.match(error.message, /disk "restore-gone".*project "flotilla"/);
  });

  test("with Velero's own role, which may not list, a snapshot that is gone is restored never and deleted at once", async () => {
    await using narrow = await openRig();
    narrow.gce.deny({ permissions: ["compute.snapshots.list", "compute.disks.list"] });
    const location = await narrow.open({ session: narrow.start() });

    const request = { snapshotId: "gone", volumeType: typeUrl("pd-ssd"), volumeAz, iops: undefined };
    const error = await failureOf(location.createVolumeFromSnapshot(request));
    await location.deleteSnapshot("gone");

    assert.equal(error.kind, "not-found");
  });

  test("without keys of ours nobody is asked more than before", async () => {
    await using own = await openRig();
    const home = await own.open();
    const snapshotId = await home.createSnapshot({ volumeId: own.addDisk(), volumeAz, tags });
    const location = await own.open({ session: own.start() });
    const countOf = (operation: string): number => own.requests(operation).length;
    const before = [countOf("diskTypes.get"), countOf("disks.aggregatedList"), countOf("snapshots.list")];

    const request = { snapshotId, volumeType: typeUrl("hyperdisk-balanced"), volumeAz, iops: undefined };
    const volumeId = await location.createVolumeFromSnapshot(request);
    await location.setVolumeId(volumeIn([volumeAz], homeRegion), volumeId);

    const after = [countOf("diskTypes.get"), countOf("disks.aggregatedList"), countOf("snapshots.list")];
    assert.deepEqual(after, before);
  });
});

describe("a region that is lost", { concurrency: true, timeout: 600_000 }, () => {
  test("a snapshot that was stored there is restored from its copy, by the id in the backup", async () => {
    await using lost = await openRig();
    const home = await lost.openHome({ config: { wait: "completed" } });
    const snapshotId = await home.createSnapshot({ volumeId: lost.addDisk({ sizeGb: 30 }), volumeAz, tags });
    const session = lost.start();
    const there = await lost.open({ session, config: { defaultZone: "europe-west1-b" } });

    lost.gce.refuseRegion(homeRegion);
    const request = { snapshotId, volumeType: typeUrl("pd-ssd"), volumeAz, iops: undefined };
    const volumeId = await there.createVolumeFromSnapshot(request);

    lost.gce.acceptRegion(homeRegion);
    const [copyId = ""] = await lost.remnants();
    const disk = lost.disk(volumeId, "zones/europe-west1-b");
    assert.ok(disk.sourceSnapshot?.endsWith(`/snapshots/${copyId}`));
    assert.equal(disk.description?.includes("flotilla.io"), false);
    const told = await toldLines(session, /its copy in this one is used/);
    assert.ok(told.some(({ level }) => level === "info"));
  });

  test("a project that is lost: its snapshots are restored from their copies in another one", async () => {
    await using lost = await openRig();
    const config = { wait: "completed", copyToRegions: `${otherRegion}?project=vault` };
    const home = await lost.openHome({ config });
    const snapshotId = await home.createSnapshot({ volumeId: lost.addDisk(), volumeAz, tags });
    const there = await lost.open({
      session: lost.start(),
      config: { project: "vault", volumeProject: "vault", defaultZone: "europe-west1-b" },
    });
    lost.gce.deny({ permissions: ["compute.*"], project });

    const request = { snapshotId, volumeType: typeUrl("pd-ssd"), volumeAz, iops: undefined };
    const volumeId = await there.createVolumeFromSnapshot(request);

    const disk = lost.disk(volumeId, "zones/europe-west1-b", "vault");
    assert.match(disk.sourceSnapshot ?? "", /projects\/vault\/global\/snapshots\/copy-/);
    await there.deleteSnapshot(snapshotId);
    assert.equal((await failureOf(there.createVolumeFromSnapshot(request))).kind, "not-found");
  });

  test("a copy that is not complete says how far it is", async () => {
    await using lost = await openRig({ uploadMs: 3_600_000 });
    const home = await lost.openHome({ config: { copyToRegions: `${otherRegion}?project=vault` } });
    const snapshotId = lost.addSnapshot({ name: "slow-one", description: JSON.stringify(tags) });
    const copyId = await home.copies.startCopy({ originId: snapshotId, region: otherRegion });
    await home.copies.tendCopy({ region: otherRegion, copyId });
    const there = await lost.open({
      session: lost.start(),
      config: { project: "vault", volumeProject: "vault", defaultZone: "europe-west1-b" },
    });

    const request = { snapshotId, volumeType: typeUrl("pd-ssd"), volumeAz, iops: undefined };
    const error = await failureOf(there.createVolumeFromSnapshot(request));

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /not complete \(50 %\)/);
  });
});

async function openRig(options: Parameters<typeof startSnapshotCopiesRig>[0] = {}) {
  const own = await startSnapshotCopiesRig({ regions, ...options });
  return { ...own, [Symbol.asyncDispose]: async () => await own.close() };
}
