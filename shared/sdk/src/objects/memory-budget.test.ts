import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { settle } from "../testing/index.ts";
import { MemoryBudget } from "./memory-budget.ts";

const never = new AbortController().signal;

test("a share that holds nothing takes its first bytes over the bound", async () => {
  const budget = new MemoryBudget(10);
  await budget.openShare(8).take(10, never);

  await budget.openShare(8).take(8, never);

  assert.equal(budget.usedBytes, 18);
});

test("a share that holds something waits for the bound", async () => {
  const budget = new MemoryBudget(10);
  const [first, second] = [budget.openShare(4), budget.openShare(4)];
  await first.take(5, never);
  await second.take(5, never);
  let isGranted = false;

  const waiting = second.take(3, never).then(() => (isGranted = true));
  await settle();
  assert.equal(isGranted, false);

  first.give(5);
  await waiting;
  assert.equal(budget.usedBytes, 8);
});

test("a share whose own bytes came back is granted even while others fill the bound", async () => {
  const budget = new MemoryBudget(10);
  const [greedy, modest] = [budget.openShare(0), budget.openShare(0)];
  await greedy.take(10, never);
  await modest.take(5, never);
  const waiting = modest.take(5, never);

  modest.give(5);

  await waiting;
  assert.equal(budget.usedBytes, 15);
});

test("those who wait are served in the order in which they came", async () => {
  const budget = new MemoryBudget(10);
  const holder = budget.openShare(0);
  await holder.take(10, never);
  const order: string[] = [];
  const waiters = ["large", "small"].map(async (name, index) => {
    const share = budget.openShare(0);
    await share.take(1, never);
    await share.take(index === 0 ? 8 : 1, never);
    order.push(name);
  });
  await settle();

  holder.give(5);
  await settle();
  assert.deepEqual(order, []);

  holder.give(5);
  await settle();
  assert.deepEqual(order, ["large"]);
  assert.equal(waiters.length, 2);
});

test("who gives up waiting lets the next one in", async () => {
  const budget = new MemoryBudget(10);
  const holder = budget.openShare(0);
  await holder.take(6, never);
  const [first, second] = [budget.openShare(0), budget.openShare(0)];
  await first.take(1, never);
  await second.take(1, never);
  const abort = new AbortController();
  const abandoned = first.take(9, abort.signal);
  const waiting = second.take(2, never);

  abort.abort(new Error("gone"));

  await assert.rejects(abandoned, /gone/);
  await waiting;
});

test("read-ahead takes only what is free and nobody waits for", async () => {
  const budget = new MemoryBudget(10);
  const [writer, reader] = [budget.openShare(0), budget.openShare(0)];
  await writer.take(6, never);

  assert.equal(reader.tryTake(5), false);
  assert.equal(reader.tryTake(3), true);

  const waiting = writer.take(4, never);
  assert.equal(reader.tryTake(1), false);
  reader.close();
  await waiting;
});

test("a closed share has given everything back, once", async () => {
  const budget = new MemoryBudget(10);
  const share = budget.openShare(0);
  await share.take(7, never);

  share.close();
  share.give(7);
  share.close();

  assert.equal(budget.usedBytes, 0);
});

test("transfers of any sizes finish, and go over the bound by one allowance each at most", async () => {
  const anyTransfers = fc.array(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(anyTransfers, fc.integer({ min: 30, max: 60 }), async (transfers, limit) => {
      const budget = new MemoryBudget(limit);

      await Promise.all(transfers.map(async (sizes) => await transfer(budget, sizes)));

      assert.equal(budget.usedBytes, 0);
      assert.ok(budget.peakBytes <= limit + 30 * transfers.length);
    }),
  );
});

/** Like an upload: what was taken comes back by itself some time later. */
async function transfer(budget: MemoryBudget, sizes: readonly number[]): Promise<void> {
  const share = budget.openShare(30);
  const underWay = new Set<Promise<void>>();
  for (const size of sizes) {
    await share.take(size, never);
    underWay.add(settle().then(() => share.give(size)));
  }
  await Promise.all(underWay);
  share.close();
}
