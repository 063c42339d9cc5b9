import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./clock.ts";

test("a sleep ends with the signal's reason when it aborts", async () => {
  const abort = new AbortController();
  const sleeping = systemClock.sleep(60_000, abort.signal);

  abort.abort(new Error("host gone"));

  await assert.rejects(sleeping, /host gone/);
  await assert.rejects(systemClock.sleep(1, abort.signal), /host gone/);
});

test("a sleep lasts", async () => {
  const before = systemClock.now();

  await systemClock.sleep(20);

  assert.ok(systemClock.now() - before >= 15);
});

test("a timer that was refreshed after it rang rings again, and a cancelled one never", async () => {
  let rings = 0;
  const timer = systemClock.timer(5, () => (rings += 1));
  await systemClock.sleep(30);
  timer.refresh();
  await systemClock.sleep(30);
  assert.equal(rings, 2);

  timer.refresh();
  timer.cancel();
  await systemClock.sleep(30);
  assert.equal(rings, 2);
});

test("a timer or a sleep of months does not end at once", async () => {
  let rings = 0;
  const timer = systemClock.timer(100 * 24 * 3_600_000, () => (rings += 1));
  const abort = new AbortController();
  const sleeping = systemClock.sleep(100 * 24 * 3_600_000, abort.signal);

  await systemClock.sleep(20);
  timer.cancel();
  abort.abort(new Error("woken"));

  assert.equal(rings, 0);
  await assert.rejects(sleeping, /woken/);
});
