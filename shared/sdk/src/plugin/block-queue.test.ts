import assert from "node:assert/strict";
import { test } from "node:test";

import { BlockQueue } from "./block-queue.ts";
import { blockBytes, isBlock } from "./blocks.ts";

async function rest(queue: BlockQueue): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = [];
  for (let step = await queue.next(); step.done !== true; step = await queue.next()) blocks.push(step.value);
  return blocks;
}

test("bytes of any size come out in order, in full blocks but for the last", async () => {
  const queue = new BlockQueue();
  const pieces = [1, 1000, blockBytes, 3 * blockBytes + 5, 0, 7].map((size, index) => Buffer.alloc(size, index));

  for (const piece of pieces) queue.add(piece);
  queue.end();
  const blocks = await rest(queue);

  assert.ok(Buffer.concat(blocks).equals(Buffer.concat(pieces)));
  assert.deepEqual(
    blocks.map(({ byteLength }) => byteLength),
    [blockBytes, blockBytes, blockBytes, blockBytes, 1013],
  );
  assert.ok(blocks.every(isBlock));
});

test("a reader who waits gets the block when it is full", async () => {
  const queue = new BlockQueue();
  const waiting = queue.next();
  assert.equal(queue.isWaitedFor, true);

  queue.add(Buffer.alloc(blockBytes, 1));

  assert.equal((await waiting).value?.byteLength, blockBytes);
  assert.equal(queue.isWaitedFor, false);
});

test("a reader who waits at the end learns of it", async () => {
  const queue = new BlockQueue();
  const waiting = queue.next();

  queue.end();

  assert.equal((await waiting).done, true);
});

test("a flush hands out what there is, and the block goes on being filled", async () => {
  const queue = new BlockQueue();
  queue.add(Buffer.from("so"));
  queue.flush();
  queue.add(Buffer.from("far"));
  queue.end();

  assert.deepEqual((await rest(queue)).map(String), ["so", "far"]);
});

test("the error comes after all bytes, once, and nothing counts after the end", async () => {
  const queue = new BlockQueue();
  queue.add(Buffer.from("before"));
  queue.end(new Error("cut"));
  queue.end();
  queue.add(Buffer.from("after"));

  assert.equal(String((await queue.next()).value), "before");
  await assert.rejects(queue.next(), { message: "cut" });
  assert.equal((await queue.next()).done, true);
});

test("it is full after a few blocks that nobody read, and empty once it is closed", async () => {
  const queue = new BlockQueue();
  queue.add(Buffer.alloc(2 * blockBytes));
  assert.equal(queue.isFull, true);

  queue.close();

  assert.equal(queue.isFull, false);
  assert.equal((await queue.next()).done, true);
});
