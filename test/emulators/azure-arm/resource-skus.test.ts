import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { failureOf } from "../probes/probe.ts";
import { clientOf, sendRaw, startRig } from "./rig.ts";
import { azureDefaults } from "./seeds.ts";

const { otherLocation, resourceGroup, subscriptionId } = azureDefaults;
const regions = [
  { name: "eastus", zones: ["1", "2"] },
  { name: otherLocation, withoutSkus: ["PremiumV2_LRS"] as const },
];

describe("the types of disks that the ARM stand-in has in a region", { concurrency: true }, () => {
  test("a list names what a region has, and no other region when it is filtered", async (t) => {
    const { arm, client } = await startRig(t, { regions });

    const found = await Array.fromAsync(client.resourceSkus.list({ filter: `location eq '${otherLocation}'` }));
    arm.refuseRegion("eastus");
    const disks = found.filter(({ resourceType }) => resourceType === "disks").map(({ name }) => name);

    assert.deepEqual(disks, ["Standard_LRS", "StandardSSD_LRS", "Premium_LRS", "UltraSSD_LRS"]);
    assert.deepEqual(found[0]?.locationInfo?.[0]?.zones, []);
    assert.equal((await failureOf(Array.fromAsync(client.resourceSkus.list()))).status, 503);
  });

  test("a version of disks, another filter and a missing permission are refused", async (t) => {
    const { arm } = await startRig(t, { regions });
    const path = `/subscriptions/${subscriptionId}/providers/Microsoft.Compute/skus?api-version=`;
    const list = (filter: string): Promise<unknown> => Array.fromAsync(clientOf(arm).resourceSkus.list({ filter }));

    const newer = await sendRaw(arm, "GET", `${path}2024-03-02`);
    const filtered = await failureOf(list("name eq 'Premium_LRS'"));
    arm.deny({ actions: ["Microsoft.Compute/skus/read"] });
    const denied = await failureOf(list("location eq 'eastus'"));

    assert.equal((newer.json as { error: { code: string } }).error.code, "NoRegisteredProviderFound");
    assert.deepEqual([filtered.code, denied.code], ["InvalidParameter", "AuthorizationFailed"]);
  });

  test("a disk of a type that the region lacks is refused", async (t) => {
    const { client } = await startRig(t, { regions });
    const disk = { location: otherLocation, diskSizeGB: 8, creationData: { createOption: "Empty" } };

    const make = client.disks.createOrUpdate(resourceGroup, "pv", { ...disk, sku: { name: "PremiumV2_LRS" } });

    assert.deepEqual(await failureOf(make), { code: "SkuNotAvailable", status: 409 });
  });
});
