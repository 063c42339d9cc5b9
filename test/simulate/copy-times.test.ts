import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { copyTimesTable } from "./copy-times-table.ts";
import { simulateCopies } from "./copy-times.ts";

const page = join(import.meta.dirname, "../../docs/guides/snapshots-in-another-region.md");
const free = { region: "there", maxConcurrent: 0, isSerialPerVolume: false };

test("copies of equal length take as many turns as the bound makes of them", () => {
  const scenario = { title: "", target: { ...free, maxConcurrent: 20 }, snapshotsPerVolume: 1, copyMinutes: [30] };

  assert.deepEqual(
    [1, 20, 21, 100].map((count) => simulateCopies(scenario, count)),
    [30, 30, 60, 150],
  );
});

test("snapshots of one volume take one turn each where they are copied one at a time", () => {
  const scenario = {
    title: "",
    target: { ...free, isSerialPerVolume: true },
    snapshotsPerVolume: 10,
    copyMinutes: [30],
  };

  assert.equal(simulateCopies(scenario, 100), 300);
});

test("the guide's table is what the simulation says; node test/simulate/snapshot-copies.ts prints it", async () => {
  const text = await readFile(page, "utf8");

  assert.ok(text.includes(copyTimesTable()));
});
