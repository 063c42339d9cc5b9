import assert from "node:assert/strict";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import type { AzureArmContext } from "./context.ts";

/** Snapshots, what is made of them, and their copies to another region. */
export const snapshotProbes: readonly Probe<AzureArmContext>[] = [
  {
    name: "a full snapshot has the disk's size and what was asked for",
    run: async (arm) => {
      const disk = await arm.disk({ diskSizeGB: 11 });
      const tags = { "velero.io-backup": "b" };

      const snapshot = await arm.snapshot(disk.id, { tags, sku: { name: "Premium_LRS" } });

      const { diskSizeGB, provisioningState, incremental, creationData } = snapshot;
      assert.deepEqual(
        { tags: snapshot.tags, sku: snapshot.sku?.name, diskSizeGB, provisioningState, incremental },
        { tags, sku: "Premium_LRS", diskSizeGB: 11, provisioningState: "Succeeded", incremental: false },
      );
      assert.equal(creationData?.sourceUniqueId, disk.uniqueId);
    },
  },
  {
    name: "incremental snapshots of a disk are one family",
    run: async (arm) => {
      const { id } = await arm.disk();

      const first = await arm.snapshot(id, { incremental: true });
      const second = await arm.snapshot(id, { incremental: true });

      assert.equal(first.incremental, true);
      assert.ok(first.incrementalSnapshotFamilyId);
      assert.equal(second.incrementalSnapshotFamilyId, first.incrementalSnapshotFamilyId);
    },
  },
  {
    name: "an incremental snapshot on premium storage is refused",
    run: async (arm) => {
      const { id } = await arm.disk();

      const create = arm.snapshot(id, { incremental: true, sku: { name: "Premium_LRS" } });

      await expectFailure(create, "InvalidParameter", 400);
    },
  },
  {
    name: "a full snapshot of a Premium v2 disk is refused",
    run: async (arm) => {
      const { id } = await arm.disk({ sku: { name: "PremiumV2_LRS" }, zones: ["1"] });

      await expectFailure(arm.snapshot(id), "InvalidParameter", 400);
    },
  },
  {
    name: "a snapshot of a disk that is not there is refused",
    run: async (arm) => {
      const { id } = await arm.disk();

      await expectFailure(arm.snapshot(`${id}-other`), "NotFound", 404);
    },
  },
  {
    name: "a snapshot of a disk of another region is refused as if it were not there",
    run: async (arm) => {
      const { id } = await arm.disk();

      await expectFailure(arm.snapshot(id, { location: arm.target.otherLocation }), "NotFound", 404);
    },
  },
  {
    name: "an id in other case names the same disk",
    run: async (arm) => {
      const { id, uniqueId } = await arm.disk();

      const snapshot = await arm.snapshot(id.toUpperCase());

      assert.equal(snapshot.creationData?.sourceUniqueId, uniqueId);
    },
  },
  {
    name: "a source that is no id is refused",
    run: (arm) => expectFailure(arm.snapshot("pvc-1"), "InvalidParameter", 400),
  },
  {
    name: "a disk of a snapshot has its size, or more",
    run: async (arm) => {
      const disk = await arm.disk({ diskSizeGB: 9 });
      const { id } = await arm.snapshot(disk.id);
      const creationData = { createOption: "Copy", sourceResourceId: id };

      const same = await arm.disk({ creationData });
      const more = await arm.disk({ diskSizeGB: 10, creationData });

      assert.deepEqual([same.diskSizeGB, more.diskSizeGB], [9, 10]);
      assert.equal(same.creationData?.sourceResourceId, id);
    },
  },
  {
    name: "a disk smaller than its snapshot is refused",
    run: async (arm) => {
      const disk = await arm.disk({ diskSizeGB: 9 });
      const { id } = await arm.snapshot(disk.id);

      const smaller = arm.disk({ diskSizeGB: 8, creationData: { createOption: "Copy", sourceResourceId: id } });

      await expectFailure(smaller, "InvalidParameter", 400);
    },
  },
  {
    name: "a disk of any kind and zone is made of a snapshot",
    run: async (arm) => {
      const disk = await arm.disk({ zones: ["1"] });
      const { id } = await arm.snapshot(disk.id, { incremental: true });
      const creationData = { createOption: "Copy", sourceResourceId: id };

      const zonal = await arm.disk({ sku: { name: "PremiumV2_LRS" }, zones: ["3"], creationData });
      const redundant = await arm.disk({ sku: { name: "Premium_ZRS" }, creationData });

      assert.deepEqual([zonal.sku?.name, zonal.zones], ["PremiumV2_LRS", ["3"]]);
      assert.deepEqual([redundant.sku?.name, redundant.zones], ["Premium_ZRS", undefined]);
    },
  },
  {
    name: "a deleted snapshot is not found, and deleting it again succeeds",
    run: async (arm) => {
      const { id } = await arm.disk();
      const { name = "" } = await arm.snapshot(id);

      await arm.removeSnapshot(name);

      await expectFailure(arm.client.snapshots.get(arm.group, name), "ResourceNotFound", 404);
      await arm.removeSnapshot(name);
    },
  },
  {
    name: "a snapshot outlives its disk",
    run: async (arm) => {
      const disk = await arm.disk();
      const { id } = await arm.snapshot(disk.id, { incremental: true });

      await arm.removeDisk(disk.name);

      const restored = await arm.disk({ creationData: { createOption: "Copy", sourceResourceId: id } });
      assert.equal(restored.provisioningState, "Succeeded");
    },
  },
  {
    name: "snapshots are in the lists of their group and their subscription",
    run: async (arm) => {
      const disk = await arm.disk();
      const { id } = await arm.snapshot(disk.id);

      for (const list of [arm.client.snapshots.list(), arm.client.snapshots.listByResourceGroup(arm.group)]) {
        const ids: (string | undefined)[] = [];
        for await (const snapshot of list) ids.push(snapshot.id);
        assert.ok(ids.includes(id));
      }
    },
  },
  {
    name: "an update changes the tags of a snapshot",
    run: async (arm) => {
      const { id } = await arm.disk();
      const { name = "", uniqueId } = await arm.snapshot(id, { incremental: true });

      await arm.client.snapshots.update(arm.group, name, { tags: { a: "b" } }, { updateIntervalInMs: 20 });

      const changed = await arm.client.snapshots.get(arm.group, name);
      assert.deepEqual([changed.tags, changed.uniqueId, changed.incremental], [{ a: "b" }, uniqueId, true]);
    },
  },
  {
    name: "an incremental snapshot does not become a full one",
    run: async (arm) => {
      const { id } = await arm.disk();
      const { name = "" } = await arm.snapshot(id, { incremental: true });

      await expectFailure(arm.snapshot(id, { incremental: false }, name), "PropertyChangeNotAllowed", 409);
    },
  },
  {
    name: "access to a snapshot is granted by a signed URL",
    run: async (arm) => {
      const { id } = await arm.disk();
      const { name = "" } = await arm.snapshot(id);
      const often = { updateIntervalInMs: 20 };
      const access = { access: "Read", durationInSeconds: 300 };

      const { accessSAS } = await arm.client.snapshots.grantAccess(arm.group, name, access, often);
      await arm.client.snapshots.revokeAccess(arm.group, name, often);

      assert.match(accessSAS ?? "", /[?&]sig=/);
    },
  },
  {
    name: "an incremental snapshot is copied to another region, and a disk made of it there",
    run: async (arm) => {
      const disk = await arm.disk({ diskSizeGB: 13 });
      const source = await arm.snapshot(disk.id, { incremental: true });
      const location = arm.target.otherLocation;

      const copy = await arm.snapshot(source.id, {
        location,
        incremental: true,
        creationData: { createOption: "CopyStart", sourceResourceId: source.id },
      });

      assert.deepEqual([copy.location, copy.diskSizeGB, copy.completionPercent], [location, 13, 100]);
      assert.notEqual(copy.incrementalSnapshotFamilyId, source.incrementalSnapshotFamilyId);
      const restored = await arm.disk({
        location,
        creationData: { createOption: "Copy", sourceResourceId: copy.id },
      });
      assert.equal(restored.diskSizeGB, 13);
    },
  },
  {
    name: "a full snapshot is not copied to another region",
    run: async (arm) => {
      const disk = await arm.disk();
      const { id } = await arm.snapshot(disk.id);
      const creationData = { createOption: "CopyStart", sourceResourceId: id };

      const copy = arm.snapshot(id, { location: arm.target.otherLocation, incremental: true, creationData });

      await expectFailure(copy, "InvalidParameter", 400);
    },
  },
  {
    name: "a copy to another region that is not incremental is refused",
    run: async (arm) => {
      const disk = await arm.disk();
      const { id } = await arm.snapshot(disk.id, { incremental: true });
      const creationData = { createOption: "CopyStart", sourceResourceId: id };

      const copy = arm.snapshot(id, { location: arm.target.otherLocation, creationData });

      await expectFailure(copy, "InvalidParameter", 400);
    },
  },
  {
    name: "a plain copy to another region is refused",
    run: async (arm) => {
      const disk = await arm.disk();
      const { id } = await arm.snapshot(disk.id, { incremental: true });

      const copy = arm.snapshot(id, { location: arm.target.otherLocation, incremental: true });

      await expectFailure(copy, "NotFound", 404);
    },
  },
];
