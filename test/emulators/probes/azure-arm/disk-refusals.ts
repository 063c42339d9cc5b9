import assert from "node:assert/strict";

import type { Disk } from "@azure/arm-compute";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import type { AzureArmContext } from "./context.ts";

const missing = "probe-that-is-not-there";

function refuses(name: string, input: Partial<Disk>, code = "InvalidParameter", status = 400): Probe<AzureArmContext> {
  return { name, run: (arm) => expectFailure(arm.disk(input), code, status) };
}

function tagsOf(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`tag${index}`, "v"]));
}

/** What is refused of disks, and the limits up to which it is not. */
export const diskRefusalProbes: readonly Probe<AzureArmContext>[] = [
  {
    name: "a missing disk is ResourceNotFound",
    run: (arm) => expectFailure(arm.client.disks.get(arm.group, missing), "ResourceNotFound", 404),
  },
  {
    name: "a missing group is ResourceGroupNotFound",
    run: (arm) => expectFailure(arm.client.disks.get("no-such-group", missing), "ResourceGroupNotFound", 404),
  },
  {
    name: "deleting in a missing group is ResourceGroupNotFound",
    run: (arm) => expectFailure(arm.client.disks.delete("no-such-group", missing), "ResourceGroupNotFound", 404),
  },
  {
    name: "a missing subscription is SubscriptionNotFound",
    run: async (arm) => {
      const stranger = arm.newClient("99999999-9999-4999-8999-999999999999");

      await expectFailure(stranger.disks.get(arm.group, missing), "SubscriptionNotFound", 404);
    },
  },
  {
    name: "a subscription that is no GUID is refused",
    run: (arm) => expectFailure(arm.newClient("mine").disks.get(arm.group, missing), "InvalidSubscriptionId", 400),
  },
  {
    name: "a name of more than 80 characters is refused",
    run: (arm) => expectFailure(arm.disk({}, "d".repeat(81)), "InvalidParameter", 400),
  },
  {
    name: "a name of 80 characters is taken",
    run: async (arm) => {
      const name = arm.name().padEnd(80, "x");

      assert.equal((await arm.disk({}, name)).name, name);
      await arm.removeDisk(name);
    },
  },
  {
    name: "a name that ends in a hyphen is refused",
    run: (arm) => expectFailure(arm.disk({}, `${arm.name()}-`), "InvalidParameter", 400),
  },
  {
    name: "a disk encryption set that does not exist is refused",
    run: (arm) => {
      const { subscriptionId, resourceGroup } = arm.target;
      const diskEncryptionSetId = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/diskEncryptionSets/${missing}`;
      return expectFailure(arm.disk({ encryption: { diskEncryptionSetId } }), "NotFound", 404);
    },
  },
  refuses("a kind of disk that does not exist is refused", { sku: { name: "Platinum_LRS" } }),
  refuses("a zone that does not exist is refused", { zones: ["9"] }, "AvailabilityZoneNotSupported"),
  refuses("a zone-redundant disk in a zone is refused", { sku: { name: "Premium_ZRS" }, zones: ["1"] }),
  refuses("a region that does not exist is refused", { location: "mars" }, "LocationNotAvailableForResourceType"),
  refuses("an empty disk without a size is refused", { creationData: { createOption: "Empty" } }),
  refuses("a size that the kind does not have is refused", { sku: { name: "Premium_LRS" }, diskSizeGB: 40_000 }),
  refuses("iops on a Premium disk are refused", { sku: { name: "Premium_LRS" }, diskIopsReadWrite: 5000 }),
  refuses("throughput on a Standard SSD is refused", { sku: { name: "StandardSSD_LRS" }, diskMBpsReadWrite: 200 }),
  refuses("too many iops for a Premium v2 disk's size are refused", {
    sku: { name: "PremiumV2_LRS" },
    diskSizeGB: 8,
    diskIopsReadWrite: 10_000,
  }),
  refuses("more throughput than the iops carry is refused", {
    sku: { name: "PremiumV2_LRS" },
    diskSizeGB: 64,
    diskIopsReadWrite: 3000,
    diskMBpsReadWrite: 1500,
  }),
  refuses("customer encryption without a disk encryption set is refused", {
    encryption: { type: "EncryptionAtRestWithCustomerKey" },
  }),
  refuses("an unknown way of creation is refused", { creationData: { createOption: "Magic" } }),
  refuses("a copy without a source is refused", { creationData: { createOption: "Copy" } }),
  refuses("51 tags are refused", { tags: tagsOf(51) }, "TooManyTags"),
  refuses("a tag name with a slash is refused", { tags: { "velero.io/backup": "b" } }, "InvalidTagNameCharacters"),
  refuses("a tag name with a question mark is refused", { tags: { "what?": "b" } }, "InvalidTagNameCharacters"),
  refuses("a tag name of 513 characters is refused", { tags: { ["n".repeat(513)]: "v" } }, "InvalidTagName"),
  refuses("a tag value of 257 characters is refused", { tags: { n: "v".repeat(257) } }, "InvalidTagValueLength"),
  {
    name: "50 tags of the greatest length are taken",
    run: async (arm) => {
      const long = { ...tagsOf(49), ["n".repeat(512)]: "v".repeat(256) };

      assert.deepEqual((await arm.disk({ tags: long })).tags, long);
    },
  },
];
