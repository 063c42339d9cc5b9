import assert from "node:assert/strict";
import { test } from "node:test";

import { blockBytes, giveBlock, isBlock, takeBlock } from "./blocks.ts";

test("a block has its full size, and room for a header before it", () => {
  const block = takeBlock();

  assert.equal(block.byteLength, blockBytes);
  assert.ok(block.byteOffset >= 11);
  assert.ok(isBlock(block));
});

test("a block that was given back is handed out again", () => {
  const block = takeBlock();
  giveBlock(block);

  assert.equal(takeBlock().buffer, block.buffer);
});

test("a block that was given back twice is handed out once", () => {
  const block = takeBlock();
  giveBlock(block);
  giveBlock(block);

  const [first, second] = [takeBlock(), takeBlock()];

  assert.notEqual(first.buffer, second.buffer);
});

test("the beginning of a block gives the whole back, and is a block itself", () => {
  const beginning = takeBlock().subarray(0, 10);

  assert.ok(isBlock(beginning));
  giveBlock(beginning);

  assert.equal(takeBlock().buffer, beginning.buffer);
});

test("what is not a block, or is one no more, is told apart and left alone", () => {
  const part = takeBlock().subarray(1);
  const given = takeBlock();
  giveBlock(given);
  const others = [Buffer.alloc(blockBytes), part, given, new Uint8Array(0)];

  assert.deepEqual(others.map(isBlock), [false, false, false, false]);
  const chunk = Buffer.from("not a block");
  giveBlock(chunk);

  assert.equal(chunk.toString(), "not a block");
});

test("only so much is kept for later; the rest is freed at once", () => {
  const blocks = Array.from({ length: 100 }, takeBlock);

  for (const block of blocks) giveBlock(block);

  const freed = blocks.filter(({ buffer }) => buffer.byteLength === 0);
  assert.ok(freed.length >= 60, `${freed.length} freed`);
});
