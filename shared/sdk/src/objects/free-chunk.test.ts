import assert from "node:assert/strict";
import { test } from "node:test";
import { freeChunk } from "./free-chunk.ts";

test("a chunk that is the whole of its buffer gives its memory back", () => {
  const chunk = new Uint8Array(64 * 1024);

  freeChunk(chunk);

  assert.equal(chunk.byteLength, 0);
});

test("a slice leaves the buffer to its other readers", () => {
  const whole = new Uint8Array(64 * 1024);

  freeChunk(whole.subarray(16 * 1024));

  assert.equal(whole.byteLength, 64 * 1024);
});

test("a chunk from the slab of small buffers is left alone", () => {
  const small = Buffer.from("small");

  freeChunk(small);

  assert.equal(small.toString(), "small");
});
