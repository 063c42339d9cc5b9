import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTries, PluginError, silentLogger } from "../plugin/index.ts";
import { chunksOf, FaultyBlobDriver, MemoryBlobDriver, sampleBytes, TestClock } from "../testing/index.ts";
import { PartPool } from "./part-pool.ts";
import { uploadObject } from "./upload.ts";
import type { BlobRequest } from "../testing/index.ts";

const memoryLimitBytes = 64 * 1024;
const partBytes = 8 * 1024;
const never = new AbortController().signal;

/** Uploads, where the first request of this name is given up, and answers the memory of each body by its number. */
async function upload(fails: BlobRequest | undefined, sizeBytes: number, pool: PartPool): Promise<ArrayBufferLike[]> {
  const memory = new MemoryBlobDriver();
  const bodies: ArrayBufferLike[] = [];
  const put = memory.put.bind(memory);
  memory.put = async (key, body, ...rest) => {
    bodies[1] = body.buffer;
    await put(key, body, ...rest);
  };
  const startUpload = memory.startUpload.bind(memory);
  memory.startUpload = async (...args) => {
    const inner = await startUpload(...args);
    const putPart = inner.putPart.bind(inner);
    inner.putPart = async (number, body, ...rest) => {
      bodies[number] = body.buffer;
      return await putPart(number, body, ...rest);
    };
    return inner;
  };
  const error = new PluginError("no answer in time", { kind: "timeout" });
  const faults = fails === undefined ? [] : [{ on: fails, nth: [1], action: { does: "fail" as const, error } }];
  const retry = { ...defaultTries, clock: new TestClock({ skipsSleep: true }), random: () => 0.5 };
  const bytes = sampleBytes(sizeBytes);
  await uploadObject(
    { driver: new FaultyBlobDriver(memory, faults), pool, retry },
    { bucket: "b", key: "k" },
    chunksOf(bytes, 999),
    { signal: never, log: silentLogger },
  );
  assert.ok(memory.objects.get("k")?.bytes.equals(bytes));
  return bodies;
}

/** The memory of all part buffers that would be used again. */
async function idleOf(pool: PartPool): Promise<ReadonlySet<ArrayBufferLike>> {
  const share = pool.openShare(memoryLimitBytes);
  const buffers = await Promise.all(Array.from({ length: 8 }, async () => await share.take(partBytes, never)));
  return new Set(buffers.map(({ buffer }) => buffer));
}

for (const [request, sizeBytes] of [
  ["putPart", 3 * partBytes],
  ["put", partBytes],
] as const) {
  test(`the buffer of a ${request} is used again once it was sent`, async () => {
    const pool = new PartPool(memoryLimitBytes);

    const bodies = await upload(undefined, sizeBytes, pool);

    assert.ok(bodies[1] !== undefined && (await idleOf(pool)).has(bodies[1]));
  });

  test(`the buffer of a ${request} of which an earlier try was given up is never used again: that may still send it`, async () => {
    const pool = new PartPool(memoryLimitBytes);

    const bodies = await upload(request, sizeBytes, pool);

    assert.ok(bodies[1] !== undefined && !(await idleOf(pool)).has(bodies[1]));
  });
}
