import assert from "node:assert/strict";
import { test } from "node:test";
import { addTallies, readTally } from "./tally.ts";

test("a program that ends without a closing line counts as one failure", () => {
  assert.deepEqual(readTally("panic: nil\n", 2), { passed: 0, failed: 1 });
});

test("a program that ends with an error after a clean closing line counts as one failure", () => {
  assert.deepEqual(readTally("3 passed, 0 failed\n", 1), { passed: 3, failed: 1 });
});

test("the last closing line counts", () => {
  assert.deepEqual(readTally("1 passed, 9 failed\nmore\n4 passed, 2 failed\n", 1), { passed: 4, failed: 2 });
});

test("tallies add up", () => {
  assert.deepEqual(
    addTallies([
      { passed: 1, failed: 2 },
      { passed: 3, failed: 4 },
    ]),
    { passed: 4, failed: 6 },
  );
});
