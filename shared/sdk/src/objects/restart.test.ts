import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, PluginError, silentLogger } from "../plugin/index.ts";
import { collect } from "../testing/index.ts";
import { restarting } from "./restart.ts";
import type { Call } from "../plugin/index.ts";
import type { PluginErrorKind } from "../plugin/index.ts";

const ref = { bucket: "b", key: "k" };
const call: Call = { signal: new AbortController().signal, log: silentLogger };

function failingTimes(times: number, kind: PluginErrorKind, afterBytes = 0): () => AsyncGenerator<Uint8Array> {
  let reads = 0;
  return async function* () {
    reads += 1;
    if (reads > times) return yield Buffer.from(`read ${reads}`);
    if (afterBytes > 0) yield Buffer.alloc(afterBytes);
    throw new PluginError(`read ${reads} failed`, { kind });
  };
}

for (const kind of ["conflict", "corrupt"] as const)
  test(`a ${kind} before the first byte is read again from the beginning`, async () => {
    assert.equal((await collect(restarting(ref, call, failingTimes(2, kind)))).toString(), "read 3");
  });

test("a conflict after the first byte stands", async () => {
  await assert.rejects(collect(restarting(ref, call, failingTimes(1, "conflict", 1))), /read 1 failed/);
});

test("a conflict that repeats stands in the end", async () => {
  await assert.rejects(collect(restarting(ref, call, failingTimes(9, "conflict"))), /read 3 failed/);
});

test("any other failure stands", async () => {
  await assert.rejects(collect(restarting(ref, call, failingTimes(1, "denied"))), (error) => isKind(error, "denied"));
});
