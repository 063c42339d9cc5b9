import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "./backoff.ts";

const backoff = { baseMs: 1000, maxMs: 15_000 };

test("waits double up to the bound", () => {
  const waits = [1, 2, 3, 4, 5, 60, 5000].map((failed) => backoffMs(failed, backoff, () => 1));

  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

test("half of a wait is random", () => {
  assert.deepEqual([backoffMs(1, backoff, () => 0), backoffMs(1, backoff, () => 0.5)], [500, 750]);
});
