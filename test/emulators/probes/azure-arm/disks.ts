import assert from "node:assert/strict";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import type { AzureArmContext } from "./context.ts";

/** Disks: what they are made of and what becomes of them. */
export const diskProbes: readonly Probe<AzureArmContext>[] = [
  {
    name: "an empty disk has what was asked for",
    run: async (arm) => {
      const name = arm.name();
      const tags = { "velero.io-backup": "b", owner: "" };

      const disk = await arm.disk({ sku: { name: "Premium_LRS" }, zones: ["2"], tags }, name);

      const { provisioningState, diskSizeGB, zones, location, diskState } = disk;
      assert.deepEqual(
        { name: disk.name, sku: disk.sku?.name, tags: disk.tags, provisioningState, diskSizeGB, zones, location },
        {
          name,
          sku: "Premium_LRS",
          tags,
          provisioningState: "Succeeded",
          diskSizeGB: 8,
          zones: ["2"],
          location: arm.target.location,
        },
      );
      assert.equal(diskState, "Unattached");
      assert.equal(disk.encryption?.type, "EncryptionAtRestWithPlatformKey");
    },
  },
  {
    name: "a disk has the standard performance of its size",
    run: async (arm) => {
      const { diskIopsReadWrite, diskMBpsReadWrite } = await arm.disk({
        sku: { name: "Premium_LRS" },
        diskSizeGB: 128,
      });

      assert.deepEqual([diskIopsReadWrite, diskMBpsReadWrite], [500, 100]);
    },
  },
  {
    name: "a Premium v2 disk keeps iops and throughput",
    run: async (arm) => {
      const input = { sku: { name: "PremiumV2_LRS" }, zones: ["1"], diskSizeGB: 64 };

      const { diskIopsReadWrite, diskMBpsReadWrite } = await arm.disk({
        ...input,
        diskIopsReadWrite: 5000,
        diskMBpsReadWrite: 300,
      });

      assert.deepEqual([diskIopsReadWrite, diskMBpsReadWrite], [5000, 300]);
    },
  },
  {
    name: "a Premium v2 disk has 3000 iops and 125 MB/s where nothing is asked for",
    run: async (arm) => {
      const disk = await arm.disk({ sku: { name: "PremiumV2_LRS" }, zones: ["1"] });

      assert.deepEqual([disk.diskIopsReadWrite, disk.diskMBpsReadWrite], [3000, 125]);
    },
  },
  {
    name: "an Ultra disk keeps iops and throughput",
    run: async (arm) => {
      const performance = { diskIopsReadWrite: 2000, diskMBpsReadWrite: 200 };

      const disk = await arm.disk({ sku: { name: "UltraSSD_LRS" }, zones: ["1"], diskSizeGB: 32, ...performance });

      const { diskIopsReadWrite, diskMBpsReadWrite } = disk;
      assert.deepEqual({ diskIopsReadWrite, diskMBpsReadWrite }, performance);
    },
  },
  {
    name: "a zone-redundant disk is in no zone",
    run: async (arm) => {
      const { sku, zones } = await arm.disk({ sku: { name: "StandardSSD_ZRS" } });

      assert.deepEqual([sku?.name, zones], ["StandardSSD_ZRS", undefined]);
    },
  },
  {
    name: "names of groups and disks are compared without regard to case",
    run: async (arm) => {
      const { name = "", uniqueId } = await arm.disk();

      const found = await arm.client.disks.get(arm.group.toUpperCase(), name.toUpperCase());

      assert.equal(found.uniqueId, uniqueId);
    },
  },
  {
    name: "a disk is in the lists of its group and its subscription",
    run: async (arm) => {
      const { id } = await arm.disk();

      for (const list of [arm.client.disks.list(), arm.client.disks.listByResourceGroup(arm.group)]) {
        const ids: (string | undefined)[] = [];
        for await (const disk of list) ids.push(disk.id);
        assert.ok(ids.includes(id));
        assert.equal(new Set(ids).size, ids.length);
      }
    },
  },
  {
    name: "an update changes tags, size and kind, and nothing else",
    run: async (arm) => {
      const { name = "", uniqueId } = await arm.disk({ tags: { old: "1" } });
      const change = { tags: { new: "2" }, sku: { name: "Premium_LRS" }, diskSizeGB: 16 };

      const changed = await arm.client.disks.update(arm.group, name, change, { updateIntervalInMs: 20 });

      const { tags, sku, diskSizeGB } = changed;
      assert.deepEqual({ tags, sku: { name: sku?.name }, diskSizeGB }, change);
      assert.equal(changed.uniqueId, uniqueId);
    },
  },
  {
    name: "a disk does not shrink",
    run: async (arm) => {
      const { name = "" } = await arm.disk();

      const update = arm.client.disks.update(arm.group, name, { diskSizeGB: 4 });

      await expectFailure(update, "InvalidParameter", 400);
    },
  },
  {
    name: "the same write a second time changes nothing",
    run: async (arm) => {
      const name = arm.name();
      const first = await arm.disk({}, name);

      const second = await arm.disk({}, name);

      assert.equal(second.uniqueId, first.uniqueId);
    },
  },
  {
    name: "a write of the whole disk replaces its tags",
    run: async (arm) => {
      const { name = "" } = await arm.disk({ tags: { old: "1", kept: "2" } });

      const first = await arm.disk({ tags: { kept: "3" } }, name);
      const second = await arm.disk({}, name);

      assert.deepEqual([first.tags, second.tags ?? {}], [{ kept: "3" }, {}]);
    },
  },
  {
    name: "an update of the size keeps the tags",
    run: async (arm) => {
      const { name = "" } = await arm.disk({ tags: { kept: "1" } });

      const { tags } = await arm.client.disks.update(arm.group, name, { diskSizeGB: 9 }, { updateIntervalInMs: 20 });

      assert.deepEqual(tags, { kept: "1" });
    },
  },
  {
    name: "a disk of the same name in another region is a conflict",
    run: async (arm) => {
      const { name = "" } = await arm.disk();

      await expectFailure(arm.disk({ location: arm.target.otherLocation }, name), "InvalidResourceLocation", 409);
    },
  },
  {
    name: "what a disk is made of cannot change",
    run: async (arm) => {
      const { id } = await arm.disk();
      const { name = "" } = await arm.disk();

      const again = arm.disk({ creationData: { createOption: "Copy", sourceResourceId: id } }, name);

      await expectFailure(again, "PropertyChangeNotAllowed", 409);
    },
  },
  {
    name: "a deleted disk is not found, and deleting it again succeeds",
    run: async (arm) => {
      const { name = "" } = await arm.disk();

      await arm.removeDisk(name);

      await expectFailure(arm.client.disks.get(arm.group, name), "ResourceNotFound", 404);
      await arm.removeDisk(name);
    },
  },
  {
    name: "a copy of a disk has its size",
    run: async (arm) => {
      const { id } = await arm.disk({ diskSizeGB: 12 });

      const copy = await arm.disk({
        creationData: { createOption: "Copy", sourceResourceId: id },
      });

      assert.equal(copy.diskSizeGB, 12);
    },
  },
  {
    name: "access to a disk is granted by a signed URL, which keeps it from being deleted",
    run: async (arm) => {
      const { name = "" } = await arm.disk();
      const often = { updateIntervalInMs: 20 };

      const { accessSAS } = await arm.client.disks.grantAccess(
        arm.group,
        name,
        { access: "Read", durationInSeconds: 300 },
        often,
      );

      assert.match(accessSAS ?? "", /^https:\/\/.+[?&]sig=/);
      assert.equal((await arm.client.disks.get(arm.group, name)).diskState, "ActiveSAS");
      await expectFailure(arm.removeDisk(name), "OperationNotAllowed", 409);
      await arm.client.disks.revokeAccess(arm.group, name, often);
      await arm.removeDisk(name);
    },
  },
];
