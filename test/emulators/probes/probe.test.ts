import assert from "node:assert/strict";
import { test } from "node:test";

import { expectFailure, runProbe } from "./probe.ts";
import type { Outcome } from "./probe.ts";

/** Runs a probe whose tries fail so, one after the other; answers its outcome and how often it was tried. */
async function outcomeOf(...failures: readonly (Error | undefined)[]): Promise<readonly [Outcome["result"], number]> {
  let tried = 0;
  const run = async (): Promise<void> => {
    const failure = failures[tried];
    tried += 1;
    if (failure !== undefined) throw failure;
  };
  const { result } = await runProbe({ name: "something", run }, undefined);
  return [result, tried];
}

const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
const wrapped = new TypeError("fetch failed", { cause: reset });

test("a probe whose connection was reset runs again", async () => {
  assert.deepEqual(await outcomeOf(reset, wrapped, undefined), ["ok", 3]);
});

test("a probe whose connection is reset each time is an error", async () => {
  assert.deepEqual(await outcomeOf(reset, reset, reset, undefined), ["error", 3]);
});

test("a reset is not taken for the failure that a probe expects", async () => {
  await assert.rejects(expectFailure(Promise.reject(reset), ["ECONNRESET", "Error"]), reset);
});

test("a probe that finds something else than expected runs once", async () => {
  assert.deepEqual(await outcomeOf(new assert.AssertionError({ message: "other" }), undefined), ["wrong", 1]);
});
