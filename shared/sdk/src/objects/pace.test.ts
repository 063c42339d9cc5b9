import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock } from "../testing/index.ts";
import { Pace } from "./pace.ts";
import type { Clock } from "../plugin/index.ts";

const blockBytes = 256 * 1024;

function watch(clock: Clock): { readonly pace: Pace; readonly slow: () => number } {
  let slow = 0;
  return { pace: new Pace(clock, () => void (slow += 1)), slow: () => slow };
}

/** Waits for blocks that take so long each, and does something else for a while after each. */
async function readBlocks(pace: Pace, clock: TestClock, blocks: number, eachMs: number, ownMs = 0): Promise<void> {
  for (let block = 0; block < blocks; block += 1) {
    pace.wait();
    await clock.advance(eachMs);
    pace.arrived(blockBytes);
    await clock.advance(ownMs);
  }
}

test("a connection that brings a block in a millisecond is fast, however long it goes on", async () => {
  const clock = new TestClock();
  const { pace, slow } = watch(clock);

  await readBlocks(pace, clock, 200, 1);

  assert.equal(slow(), 0);
  pace.close();
  assert.equal(clock.pending, 0);
});

test("a connection without a byte is slow after five milliseconds, and is called so once", async () => {
  const clock = new TestClock();
  const { pace, slow } = watch(clock);

  pace.wait();
  await clock.advance(4);
  assert.equal(slow(), 0);
  await clock.advance(1);
  assert.equal(slow(), 1);

  await clock.advance(1000);
  pace.arrived(blockBytes);
  pace.wait();
  await clock.advance(1000);
  assert.equal(slow(), 1);
  assert.equal(clock.pending, 0);
});

test("a connection that is a little behind with each block is slow in the end", async () => {
  const clock = new TestClock();
  const { pace, slow } = watch(clock);

  await readBlocks(pace, clock, 3, 2);
  assert.equal(slow(), 0);
  await readBlocks(pace, clock, 3, 2);

  assert.equal(slow(), 1);
});

test("a connection that was fast for long is slow soon after it falls silent", async () => {
  const clock = new TestClock();
  const { pace, slow } = watch(clock);
  await readBlocks(pace, clock, 1000, 0);

  pace.wait();
  await clock.advance(45);
  assert.equal(slow(), 0);
  await clock.advance(5);

  assert.equal(slow(), 1);
});

test("the reader's own time says nothing of the connection", async () => {
  const clock = new TestClock();
  const { pace, slow } = watch(clock);

  await readBlocks(pace, clock, 10, 1, 1000);

  assert.equal(slow(), 0);
});

test("a thread that is busy with something else says nothing of the connection", async () => {
  const clock = new TestClock();
  const busy: Clock = {
    now: () => clock.now(),
    idleMs: () => 0,
    sleep: async (ms, signal) => await clock.sleep(ms, signal),
    timer: (ms, callback) => clock.timer(ms, callback),
  };
  const { pace, slow } = watch(busy);

  await readBlocks(pace, clock, 10, 1000);

  assert.equal(slow(), 0);
});
