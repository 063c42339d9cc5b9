import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, PluginError, silentLogger } from "../plugin/index.ts";
import { settle, TestClock } from "../testing/index.ts";
import { awaitState } from "./await-state.ts";
import type { Call } from "../plugin/index.ts";
import type { AwaitStateOptions, Observed } from "./await-state.ts";

const call: Call = { signal: new AbortController().signal, log: silentLogger };

function options(looks: readonly (Observed<string> | Error)[], clock: TestClock): AwaitStateOptions<string> {
  let count = 0;
  const observe = async (): Promise<Observed<string>> => {
    const look = looks[Math.min(count, looks.length - 1)];
    count += 1;
    if (look === undefined || look instanceof Error) throw look ?? new Error("no look");
    return await Promise.resolve(look);
  };
  return { what: "snapshot snap-1 to complete", observe, timeoutMs: 60_000, clock, random: () => 1 };
}

const pending: Observed<string> = { done: false, progress: "pending, 40 %" };
const done: Observed<string> = { done: true, value: "completed" };

test("a state that is there at once takes no wait", async () => {
  const clock = new TestClock({ skipsSleep: true });

  assert.equal(await awaitState(options([done], clock), call), "completed");

  assert.deepEqual(clock.sleptMs, []);
});

test("looks become rarer up to a bound", async () => {
  const clock = new TestClock({ skipsSleep: true });

  await awaitState(options([pending, pending, pending, pending, pending, pending, done], clock), call);

  assert.deepEqual(clock.sleptMs, [1000, 2000, 4000, 8000, 15_000, 15_000]);
});

test("no look comes sooner than the cloud asked for", async () => {
  const clock = new TestClock({ skipsSleep: true });

  await awaitState(
    options([{ ...pending, retryAfterMs: 30_000 }, { ...pending, retryAfterMs: 10 }, done], clock),
    call,
  );

  assert.deepEqual(clock.sleptMs, [30_000, 2000]);
});

test("a state that is not reached in time is a timeout that tells the last progress, after a last look", async () => {
  const clock = new TestClock({ skipsSleep: true });

  await assert.rejects(awaitState(options([pending], clock), call), (error) => {
    assert.ok(isKind(error, "timeout"));
    assert.match(error.message, /snapshot snap-1 to complete: not reached within 60 s \(last seen: pending, 40 %\)/);
    return true;
  });

  assert.equal(clock.now(), 60_000);
});

test("a fault that may pass is outlasted", async () => {
  const clock = new TestClock({ skipsSleep: true });
  const throttled = new PluginError("slow down", { kind: "unavailable" });

  assert.equal(await awaitState(options([throttled, pending, throttled, done], clock), call), "completed");
});

test("a state that can no longer be reached ends the wait at once", async () => {
  const clock = new TestClock({ skipsSleep: true });
  const failed = new PluginError("snapshot snap-1 failed: key disabled", { kind: "denied" });

  await assert.rejects(awaitState(options([pending, failed, done], clock), call), failed);
});

test("an abort ends the wait at once", async () => {
  const abort = new AbortController();
  const clock = new TestClock();
  const waiting = awaitState(options([pending], clock), { ...call, signal: abort.signal });
  await settle();

  abort.abort(new Error("host gone"));

  await assert.rejects(waiting, /host gone/);
  assert.equal(clock.pending, 0);
});

test("progress is logged for debugging", async () => {
  const lines: string[] = [];
  const log = {
    ...silentLogger,
    debug: (message: string, fields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  };

  await awaitState(options([pending, done], new TestClock({ skipsSleep: true })), { ...call, log });

  assert.deepEqual(lines, [`waiting for snapshot snap-1 to complete {"progress":"pending, 40 %","attempt":1}`]);
});
