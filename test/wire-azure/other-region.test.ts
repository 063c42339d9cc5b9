import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { JsonObject } from "@flotilla/sdk/plugin";

import { failureOf } from "../wire/bytes.ts";
import { toldLines } from "../wire/told-lines.ts";
import { copiesGroup, homeRegion, otherNodes, otherRegion, startRegionsRig } from "./snapshot-copies-rig.ts";
import type { RegionsRig } from "./snapshot-copies-rig.ts";
import { armId } from "./volume-rig.ts";

const regions = [
  { name: homeRegion, zones: ["1", "2", "3"] },
  { name: otherRegion, zones: ["1", "2", "3"], withoutSkus: ["PremiumV2_LRS", "UltraSSD_LRS", "Premium_ZRS"] as const },
];
const rig = await startRegionsRig({ regions });
after(() => rig.close());
const { arm } = rig;

const volumeAz = `${homeRegion}-1`;
const tags = { "velero.io/backup": "nightly", "velero.io/pv": "pv" };
const zone = "topology.disk.csi.azure.com/zone";

/** A snapshot of a disk of the home region, with its copy. */
async function backUp(
  of: RegionsRig,
  disk: Parameters<RegionsRig["addDisk"]>[0] = {},
  config: Readonly<Record<string, string>> = {},
): Promise<string> {
  const home = await of.openHome({ config: { wait: "completed", ...config } });
  return await home.createSnapshot({ volumeId: of.addDisk(disk), volumeAz, tags });
}

function volumeIn(zones: readonly string[], region: string): JsonObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name: "pv",
      labels: { "topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zones[0] ?? "", kept: "yes" },
    },
    spec: {
      csi: { driver: "disk.csi.azure.com", volumeHandle: armId("disks", "former") },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: zones.map((one) => ({
            matchExpressions: [{ key: zone, operator: "In", values: [one] }],
          })),
        },
      },
    },
  };
}

describe("a restore in the other region", { concurrency: true, timeout: 600_000 }, () => {
  test("a volume whose zone is not there is refused until the location says which one to take", async () => {
    const snapshotId = await backUp(rig);
    const other = await rig.openOther();

    const error = await failureOf(
      other.createVolumeFromSnapshot({ snapshotId, volumeType: "Premium_LRS", volumeAz, iops: undefined }),
    );

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /eastus-1 is not in westus2.*zoneMap.*defaultZone/);
  });

  for (const [key, value, expected] of [
    ["defaultZone", "westus2-3", "3"],
    ["defaultZone", "3", "3"],
    ["zoneMap", "eastus-1=westus2-2, eastus-2=westus2-1", "2"],
  ] as const) {
    test(`${key} "${value}" decides where the volume is restored, and its PersistentVolume says so`, async () => {
      const snapshotId = await backUp(rig, { tags: { team: "storage" } });
      const session = rig.start();
      const other = await rig.openOther({ session, config: { [key]: value } });

      const request = { snapshotId, volumeType: "Premium_LRS", volumeAz, iops: undefined };
      const volumeId = await other.createVolumeFromSnapshot(request);
      const written = await other.setVolumeId(volumeIn([volumeAz], homeRegion), volumeId);

      const disk = await rig.describeDisk(volumeId, otherNodes);
      assert.deepEqual([disk.location, disk.zones, disk.sku?.name], [otherRegion, [expected], "Premium_LRS"]);
      assert.match(disk.creationData?.sourceResourceId ?? "", new RegExp(`/${copiesGroup}/`));
      assert.deepEqual(disk.tags, { "velero.io-backup": "nightly", "velero.io-pv": "pv", team: "storage" });
      const place = `${otherRegion}-${expected}`;
      assert.deepEqual(written, {
        ...volumeIn([place], otherRegion),
        spec: {
          ...(volumeIn([place], otherRegion)["spec"] as JsonObject),
          csi: { driver: "disk.csi.azure.com", volumeHandle: armId("disks", volumeId, otherNodes) },
        },
      });
      const decisions = await toldLines(session, /another zone than the recorded/);
      assert.deepEqual(
        decisions.map(({ level, fields }) => [level, fields["recorded"], fields["reason"]]),
        [["info", volumeAz, key]],
      );
    });
  }

  test("another process than the one that made the disk writes the same PersistentVolume", async () => {
    const snapshotId = await backUp(rig);
    const config = { defaultZone: "2" };
    const other = await rig.openOther({ config });
    const request = { snapshotId, volumeType: "Premium_LRS", volumeAz, iops: undefined };
    const volumeId = await other.createVolumeFromSnapshot(request);

    const [first, second] = await Promise.all(
      [other, await rig.openOther({ config })].map((one) =>
        one.setVolumeId(volumeIn([volumeAz], homeRegion), volumeId),
      ),
    );

    assert.deepEqual(second, first);
  });

  test("a type that the region does not have becomes the nearest one, and one line says so", async () => {
    const snapshotId = await backUp(rig, { sku: "Premium_ZRS" });
    const session = rig.start();
    const other = await rig.openOther({ session, config: { defaultZone: "1" } });

    const request = { snapshotId, volumeType: "Premium_ZRS", volumeAz: "", iops: undefined };
    const volumeId = await other.createVolumeFromSnapshot(request);

    const disk = await rig.describeDisk(volumeId, otherNodes);
    assert.deepEqual([disk.sku?.name, disk.zones], ["Premium_LRS", ["1"]]);
    const told = await toldLines(session, /does not have the volume's type/);
    assert.deepEqual(
      told.map(({ level, fields }) => [level, fields["recorded"], fields["used"]]),
      [["info", "Premium_ZRS", "Premium_LRS"]],
    );
  });

  test("a zone-redundant volume stays one and says all zones of the region", async () => {
    const snapshotId = await backUp(rig, { sku: "StandardSSD_ZRS" });
    const other = await rig.openOther();
    const request = { snapshotId, volumeType: "StandardSSD_ZRS", volumeAz: "", iops: undefined };

    const volumeId = await other.createVolumeFromSnapshot(request);
    const pv = volumeIn(
      ["1", "2", "3"].map((one) => `${homeRegion}-${one}`),
      homeRegion,
    );
    const written = await other.setVolumeId(pv, volumeId);

    const disk = await rig.describeDisk(volumeId, otherNodes);
    assert.deepEqual([disk.sku?.name, disk.zones], ["StandardSSD_ZRS", undefined]);
    // One term for each zone, as it was: the server takes one zone of each.
    const values = [...JSON.stringify(written).matchAll(/"values":\[([^\]]*)\]/g)].map(([, zones]) => zones);
    assert.deepEqual(values, ['"westus2-1"', '"westus2-2"', '"westus2-3"']);
    assert.doesNotMatch(JSON.stringify(written["spec"]), /eastus/);
  });

  test("without region the snapshot itself is restored where it is, as the official plugin does", async () => {
    const snapshotId = await backUp(rig);
    const plain = await rig.open({ session: rig.start() });

    const request = { snapshotId, volumeType: "Premium_LRS", volumeAz, iops: undefined };
    const disk = await rig.describeDisk(await plain.createVolumeFromSnapshot(request));

    assert.deepEqual([disk.location, disk.zones], [homeRegion, ["1"]]);
  });

  test("a snapshot without a copy there is not found there", async () => {
    const home = await rig.openHome();
    const snapshotId = await home.createSnapshot({ volumeId: rig.addDisk(), volumeAz, tags });
    const other = await rig.openOther({ config: { defaultZone: "1" } });

    const error = await failureOf(
      other.createVolumeFromSnapshot({ snapshotId, volumeType: "Premium_LRS", volumeAz, iops: undefined }),
    );

    assert.equal(error.kind, "not-found");
    assert.match(error.message, /it is of eastus/);
  });

  test("a deletion there takes the copy, and leaves the snapshot to the backups of its own region", async () => {
    const snapshotId = await backUp(rig, { name: "deleted-there" });
    const copies = async () =>
      (await rig.snapshotsIn(copiesGroup)).filter(({ tags }) => tags?.["flotilla.io-copy-of"] === snapshotId);
    const other = await rig.openOther();

    await other.deleteSnapshot(snapshotId);
    // As the server does when something else of the deletion failed: no copy is left that would tell.
    await other.deleteSnapshot(snapshotId);

    assert.deepEqual(await copies(), []);
    assert.equal((await rig.describeSnapshot(snapshotId)).provisioningState, "Succeeded");
    await (await rig.openHome()).deleteSnapshot(snapshotId);
    assert.deepEqual(await rig.snapshotsOf("deleted-there"), []);
  });
});

describe("a disk with a customer's key in the other region", { concurrency: true, timeout: 240_000 }, () => {
  const setIn = (name: string, location: string): string => arm.addDiskEncryptionSet({ name, location });
  const encrypted = (name: string) =>
    ({
      encryption: { type: "EncryptionAtRestWithCustomerKey", diskEncryptionSetId: setIn(name, homeRegion) },
    }) as const;
  const request = { volumeType: "Premium_LRS", volumeAz, iops: undefined };

  test("is not restored without one, and the error names the key of the location", async () => {
    const snapshotId = await backUp(rig, encrypted("home-1"));
    const other = await rig.openOther({ config: { defaultZone: "1" } });

    const error = await failureOf(other.createVolumeFromSnapshot({ ...request, snapshotId }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /home-1.*diskEncryptionSet/);
  });

  test("is encrypted with the set of the location there", async () => {
    const diskEncryptionSet = setIn("other-2", otherRegion);
    const snapshotId = await backUp(rig, encrypted("home-2"));
    const other = await rig.openOther({ config: { defaultZone: "1", diskEncryptionSet } });

    const volumeId = await other.createVolumeFromSnapshot({ ...request, snapshotId });

    const { encryption } = await rig.describeDisk(volumeId, otherNodes);
    assert.deepEqual(encryption, { type: "EncryptionAtRestWithCustomerKey", diskEncryptionSetId: diskEncryptionSet });
  });

  test("is encrypted with the set that the copy was made with", async () => {
    const set = setIn("other-3", otherRegion);
    const copyToRegions = `${otherRegion}?resourceGroup=${copiesGroup}&diskEncryptionSet=${set}`;
    const snapshotId = await backUp(rig, encrypted("home-3"), { copyToRegions });
    const other = await rig.openOther({ config: { defaultZone: "1" } });

    const volumeId = await other.createVolumeFromSnapshot({ ...request, snapshotId });

    const { encryption } = await rig.describeDisk(volumeId, otherNodes);
    assert.equal(encryption?.diskEncryptionSetId, set);
  });
});

describe("a home region that is lost", { timeout: 600_000 }, () => {
  test("its volumes are restored from the copies, whether the location says its region or not", async () => {
    const lost = await startRegionsRig();
    after(() => lost.close());
    const snapshotId = await backUp(lost);
    lost.arm.refuseRegion(homeRegion);

    for (const config of [{ defaultZone: "2" }, { defaultZone: "3", region: "" }]) {
      const other = await lost.openOther({ config });
      const request = { snapshotId, volumeType: "Premium_LRS", volumeAz, iops: undefined };
      const disk = await lost.describeDisk(await other.createVolumeFromSnapshot(request), otherNodes);
      assert.deepEqual([disk.location, disk.zones], [otherRegion, [config.defaultZone]]);
    }
  });

  test("a copy that is still on its way is an error that says how far it is", async () => {
    const lost = await startRegionsRig({ copyMs: 3_600_000 });
    after(() => lost.close());
    const home = await lost.openHome();
    const snapshotId = await home.createSnapshot({ volumeId: lost.addDisk(), volumeAz, tags });
    await home.copies.startCopy({ originId: snapshotId, region: otherRegion });
    lost.arm.refuseRegion(homeRegion);
    const other = await lost.openOther({ config: { defaultZone: "2" } });

    const request = { snapshotId, volumeType: "Premium_LRS", volumeAz, iops: undefined };
    const error = await failureOf(other.createVolumeFromSnapshot(request));

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /is not complete \(\d+ %\)/);
  });
});
