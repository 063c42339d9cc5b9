import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { largestObjectBytes, planParts } from "./part-plan.ts";
import type { BlobLimits } from "./blob-driver.ts";

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;
const s3: BlobLimits = {
  minPartBytes: 5 * mebibyte,
  maxPartBytes: 5 * gibibyte,
  maxParts: 10_000,
  maxObjectBytes: 5 * 1024 * gibibyte,
};

const anyLimits = fc
  .record({
    minPartBytes: fc.integer({ min: 1, max: 8 * mebibyte }),
    extraPartBytes: fc.integer({ min: 0, max: 5 * gibibyte }),
    maxParts: fc.integer({ min: 1, max: 50_000 }),
    maxObjectBytes: fc.integer({ min: 1, max: 200 * 1024 * gibibyte }),
  })
  .map(({ minPartBytes, extraPartBytes, ...rest }) => ({
    minPartBytes,
    maxPartBytes: minPartBytes + extraPartBytes,
    ...rest,
  }));
const anyMemory = fc.integer({ min: mebibyte, max: 8 * gibibyte });

test("with 64 MiB on S3, parts grow from 8 to 32 MiB and the largest object is 304 GiB", () => {
  const plan = planParts(s3, 64 * mebibyte);

  assert.equal(plan.firstPartBytes, 8 * mebibyte);
  assert.deepEqual(
    [1, 200, 201, 400, 401, 10_000].map((number) => (plan.sizeOf(number) ?? 0) / mebibyte),
    [8, 8, 16, 16, 32, 32],
  );
  assert.equal(plan.sizeOf(10_001), undefined);
  assert.equal(largestObjectBytes(s3, 64 * mebibyte), (200 * 8 + 200 * 16 + 9600 * 32) * mebibyte);
});

test("the largest object loses less than 3 % of half the memory for each part", () => {
  const bound = 32 * mebibyte * s3.maxParts;

  assert.ok(largestObjectBytes(s3, 64 * mebibyte) > 0.97 * bound);
});

test("the largest object is never more than the service accepts", () => {
  assert.equal(largestObjectBytes(s3, 8 * gibibyte), s3.maxObjectBytes);
});

test("parts are within the service's limits, never shrink, and two of them fit the memory", () => {
  fc.assert(
    fc.property(anyLimits, anyMemory, fc.integer({ min: 1, max: 50_000 }), (limits, memory, number) => {
      const size = planParts(limits, memory).sizeOf(number);
      const next = planParts(limits, memory).sizeOf(number + 1);

      assert.equal(size === undefined, number > limits.maxParts);
      if (size === undefined) return;
      assert.ok(size >= limits.minPartBytes && size <= limits.maxPartBytes);
      assert.ok(next === undefined || next >= size);
      assert.ok(2 * size <= memory || size === limits.minPartBytes);
    }),
  );
});

test("the largest object is exactly the sum of all parts, as far as the service accepts it", () => {
  fc.assert(
    fc.property(anyLimits, anyMemory, (limits, memory) => {
      const plan = planParts(limits, memory);
      const sizes = Array.from({ length: limits.maxParts }, (_, index) => plan.sizeOf(index + 1) ?? 0);
      const sum = sizes.reduce((total, size) => total + size, 0);

      assert.equal(largestObjectBytes(limits, memory), Math.min(sum, limits.maxObjectBytes));
    }),
    { numRuns: 30 },
  );
});

test("every part but the last is a multiple of what the service asks for", () => {
  const multiple = 256 * 1024;
  const limits = { ...s3, minPartBytes: mebibyte, partMultipleBytes: multiple };
  fc.assert(
    fc.property(anyMemory, fc.integer({ min: 1, max: gibibyte }), (memoryBytes, firstPartBytes) => {
      const plan = planParts(limits, memoryBytes, firstPartBytes);
      for (const number of [1, 2, 200, 201, 1000, 10_000]) assert.equal((plan.sizeOf(number) ?? 0) % multiple, 0);
    }),
  );
});
