import assert from "node:assert/strict";
import { test } from "node:test";

import { isDataSubset } from "./data-subset.ts";

for (const text of ["5%", "0.1%", "100%", "1/1", "3/256", "1", "500M", "10g", "2T"])
  test(`${text} says how much to read back`, () => {
    assert.equal(isDataSubset(text), true);
  });

for (const text of ["", "0%", "0.0%", "101%", "%", "-5%", "1/0", "0/3", "4/3", "1/257", "0", "0M", "5 %", "5P", "all"])
  test(`${JSON.stringify(text)} says nothing that restic would take`, () => {
    assert.equal(isDataSubset(text), false);
  });
