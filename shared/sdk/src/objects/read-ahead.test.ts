import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTries, silentLogger } from "../plugin/index.ts";
import { collect, FaultyBlobDriver, MemoryBlobDriver, sampleBytes, TestClock } from "../testing/index.ts";
import { defaultMemoryLimitBytes } from "./driver-object-store.ts";
import { openDownload } from "./download.ts";
import { PartPool } from "./part-pool.ts";
import { segmentBytesFor } from "./read-ahead.ts";

const mebibyte = 1024 ** 2;

async function countRanges(sizeBytes: number): Promise<number> {
  const clock = new TestClock({ skipsSleep: true });
  const memory = new MemoryBlobDriver({ chunkBytes: mebibyte, farBy: clock });
  const content = sampleBytes(sizeBytes);
  memory.store("k", content, undefined);
  const driver = new FaultyBlobDriver(memory, []);
  const context = {
    driver,
    pool: new PartPool(defaultMemoryLimitBytes),
    retry: { ...defaultTries, clock, random: () => 0.5 },
  };
  const call = { signal: new AbortController().signal, log: silentLogger };

  assert.ok((await collect((await openDownload(context, { bucket: "b", key: "k" }, call)).body)).equals(content));
  return driver.counts.get("readRange") ?? 0;
}

test("nine segments of a large object fit into the memory that reading ahead may take", () => {
  for (const limit of [32, 64, 100, 256, 1024]) {
    const bytes = segmentBytesFor(limit * mebibyte);

    assert.ok(9 * bytes <= 0.75 * limit * mebibyte, `${limit} MiB`);
    assert.ok(10 * bytes > 0.6 * limit * mebibyte, `${limit} MiB`);
  }
});

test("little memory makes fewer connections, not tiny requests", () => {
  assert.equal(segmentBytesFor(4 * mebibyte), mebibyte);
});

test("an object as large as one part takes one request, though a segment is smaller", async () => {
  assert.equal(await countRanges(8 * mebibyte), 0);
});

test("a larger object of a store far away is read in segments by several connections", async () => {
  assert.equal(await countRanges(21 * mebibyte), 3);
});
