import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../testing/index.ts";
import { PartPool } from "./part-pool.ts";

const never = new AbortController().signal;

test("a buffer that came back is used again", async () => {
  const share = new PartPool(100).openShare(50);
  const first = await share.take(50, never);
  share.give(first, true);

  assert.equal(await share.take(50, never), first);
});

test("a buffer that somebody may still be reading is never used again", async () => {
  const share = new PartPool(100).openShare(50);
  const first = await share.take(50, never);
  share.give(first, false);

  assert.notEqual(await share.take(50, never), first);
});

test("a buffer of a share that was closed meanwhile is never used again", async () => {
  const pool = new PartPool(100);
  const share = pool.openShare(50);
  const first = await share.take(50, never);
  share.close();
  share.give(first, true);

  assert.notEqual(await pool.openShare(50).take(50, never), first);
  assert.equal(pool.budget.usedBytes, 50);
});

test("who waits for memory gets the buffer that came back rather than a fresh one", async () => {
  const pool = new PartPool(100);
  const [a, b] = [pool.openShare(50), pool.openShare(50)];
  const first = await a.take(50, never);
  await b.take(50, never);
  const waiting = b.take(50, never);
  await settle();

  a.give(first, true);

  assert.equal(await waiting, first);
});

test("a buffer grows with its bytes and counts only once", async () => {
  const pool = new PartPool(100);
  const share = pool.openShare(80);
  const small = await share.take(4, never);
  small.write("abcd");

  const large = await share.grow(small, 80, never);

  assert.equal(large.toString("latin1", 0, 4), "abcd");
  assert.equal(pool.budget.usedBytes, 80);
});

test("read-ahead pushes idle buffers out", async () => {
  const pool = new PartPool(100);
  const share = pool.openShare(50);
  const first = await share.take(50, never);
  share.give(first, true);

  assert.equal(pool.openReadAhead().tryTake(60), true);

  assert.notEqual(await share.take(50, never), first);
});
