import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@flotilla/sdk/plugin";
import type { Call, LogFields } from "@flotilla/sdk/plugin";
import { TestClock } from "@flotilla/sdk/testing";
import { ProgressWatch } from "./volume-progress.ts";

const minuteMs = 60_000;
const action = "snapshot the volume /volumes/a";

function status(bytes: number) {
  return { files: 1n, bytes: BigInt(bytes), totalFiles: 2n, totalBytes: 1000n };
}

function listening(): { readonly call: Call; readonly lines: LogFields[] } {
  const lines: LogFields[] = [];
  const info = (_message: string, fields: LogFields = {}): void => void lines.push(fields);
  return { call: { signal: new AbortController().signal, log: { ...silentLogger, info } }, lines };
}

test("what gets no further is given up, although restic repeats its status", async () => {
  const clock = new TestClock();
  using watch = new ProgressWatch({ action, clock }, listening().call);

  for (let minute = 0; minute < 29; minute += 1) {
    watch.hear(status(5));
    await clock.advance(minuteMs);
  }
  assert.equal(watch.call.signal.aborted, false);
  await clock.advance(2 * minuteMs);

  assert.equal(watch.call.signal.aborted, true);
  assert.match(String(watch.call.signal.reason), /\/volumes\/a: no progress for 30 min/);
});

test("what moves is not given up, however long it takes, and the log tells it ever more rarely", async () => {
  const clock = new TestClock();
  const { call, lines } = listening();
  using watch = new ProgressWatch({ action, clock }, call);

  for (let minute = 0; minute < 20 * 60; minute += 1) {
    watch.hear(status(minute));
    await clock.advance(minuteMs);
  }

  assert.equal(watch.call.signal.aborted, false);
  assert.ok(lines.length > 10 && lines.length < 100, `${lines.length} lines`);
});

test("a restic that tells nothing is not given up for that", async () => {
  const clock = new TestClock();
  using watch = new ProgressWatch({ action, clock, isSilent: true }, listening().call);

  await clock.advance(10 * 60 * minuteMs);

  assert.equal(watch.call.signal.aborted, false);
});

test("nothing rings after the end", async () => {
  const clock = new TestClock();
  const watch = new ProgressWatch({ action, clock }, listening().call);
  watch[Symbol.dispose]();

  await clock.advance(60 * minuteMs);

  assert.equal(clock.pending, 0);
  assert.equal(watch.call.signal.aborted, false);
});
