import assert from "node:assert/strict";
import { test } from "node:test";
import { PluginError } from "@flotilla/sdk/plugin";
import { readMarks } from "./managed-disk-marks.ts";
import { offeredType, RegionDiskTypes } from "./managed-disk-types.ts";
import { quietCall } from "./testing/call.ts";
import { ScriptedDisks } from "./testing/scripted-disks.ts";

const small = readMarks({ "flotilla.io-logical-sector-size": "512" });
const large = readMarks({ "flotilla.io-logical-sector-size": "4096" });
const unknown = readMarks({});
const standard = ["Standard_LRS", "StandardSSD_LRS", "Premium_LRS"];

for (const [type, marks, offered, expected] of [
  ["Premium_LRS", unknown, standard, "Premium_LRS"],
  ["UltraSSD_LRS", large, [...standard, "PremiumV2_LRS"], "PremiumV2_LRS"],
  ["PremiumV2_LRS", small, standard, "Premium_LRS"],
  ["Premium_ZRS", unknown, standard, "Premium_LRS"],
  ["StandardSSD_ZRS", unknown, standard, "StandardSSD_LRS"],
  ["Premium_LRS", unknown, ["Standard_LRS", "StandardSSD_LRS"], "StandardSSD_LRS"],
  ["Future_LRS", unknown, standard, "Future_LRS"],
  ["", unknown, standard, ""],
  ["PremiumV2_LRS", unknown, [], "PremiumV2_LRS"],
] as const)
  test(`${type || "no type"} becomes ${expected || "none"} where a region has ${offered.join(", ") || "nothing listed"}`, () => {
    assert.equal(offeredType(type, marks, new Map(offered.map((name) => [name, []]))), expected);
  });

for (const marks of [large, unknown])
  test(`a disk with sectors of ${marks.logicalSectorSize ?? "4096 by default"} bytes is never made of a type with smaller ones`, () => {
    assert.equal(offeredType("UltraSSD_LRS", marks, new Map(standard.map((name) => [name, []]))), "UltraSSD_LRS");
  });

test("a region is asked once for its types", async () => {
  const api = new ScriptedDisks();
  const types = new RegionDiskTypes(api, "0000-aa");

  await types.in("westus2", quietCall);
  await types.in("westus2", quietCall);

  assert.deepEqual(api.asked, ["types"]);
});

test("without the permission to ask, a type is taken as it is recorded, and the next volume asks again", async () => {
  const api = new ScriptedDisks();
  api.diskTypes = new PluginError("no", { kind: "denied" });
  const types = new RegionDiskTypes(api, "0000-aa");

  assert.equal(await types.in("westus2", quietCall), undefined);
  assert.equal(await types.in("westus2", quietCall), undefined);

  assert.equal(offeredType("PremiumV2_LRS", small, undefined), "PremiumV2_LRS");
  assert.equal(api.asked.length, 2);
});
