import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isKind, silentLogger } from "../plugin/index.ts";
import { chunksOf, collect, sampleBytes } from "../testing/index.ts";
import { checksumOf } from "./checksum.ts";
import { verified } from "./integrity.ts";
import type { Call } from "../plugin/index.ts";
import type { StoredChecksum } from "./blob-driver.ts";
import type { ComputedAlgorithm } from "./checksum.ts";

const ref = { bucket: "b", key: "k" };
const call: Call = { signal: new AbortController().signal, log: silentLogger };
const algorithms: readonly ComputedAlgorithm[] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256", "md5"];

async function* copies(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunksOf(bytes, chunkBytes)) yield Uint8Array.from(chunk);
}

async function compositeOf(
  algorithm: ComputedAlgorithm,
  bytes: Uint8Array,
  partSizes: readonly number[],
): Promise<StoredChecksum> {
  const sums: Uint8Array[] = [];
  let start = 0;
  for (const size of partSizes) {
    sums.push((await checksumOf(algorithm, bytes.subarray(start, start + size))).bytes);
    start += size;
  }
  return { ...(await checksumOf(algorithm, Buffer.concat(sums))), scope: { partSizes } };
}

for (const algorithm of algorithms)
  test(`an object with a recorded ${algorithm} passes whole or not at all`, async () => {
    const bytes = sampleBytes(2000);
    const checksum: StoredChecksum = { ...(await checksumOf(algorithm, bytes)), scope: "full-object" };
    const damaged = Buffer.from(bytes);
    damaged[1234] = (damaged[1234] ?? 0) ^ 4;

    const good = await collect(verified(ref, { sizeBytes: 2000, checksum, body: copies(bytes, 300) }, call));
    assert.ok(good.equals(bytes));

    await assert.rejects(collect(verified(ref, { sizeBytes: 2000, checksum, body: copies(damaged, 300) }, call)), (e) =>
      isKind(e, "corrupt"),
    );
  });

for (const algorithm of algorithms)
  test(`an object with a ${algorithm} over its parts passes, however the bytes are cut`, async () => {
    const anySizes = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(anySizes, fc.integer({ min: 1, max: 90 }), async (partSizes, chunkBytes) => {
        const sizeBytes = partSizes.reduce((sum, size) => sum + size, 0);
        const bytes = sampleBytes(sizeBytes);
        const checksum = await compositeOf(algorithm, bytes, partSizes);

        const passed = await collect(verified(ref, { sizeBytes, checksum, body: copies(bytes, chunkBytes) }, call));

        assert.ok(passed.equals(bytes));
      }),
      { numRuns: 40 },
    );
  });

test("damage in any byte of an object of parts is caught before its last chunk", async () => {
  const partSizes = [40, 40, 20];
  const bytes = sampleBytes(100);
  const checksum = await compositeOf("sha256", bytes, partSizes);
  await fc.assert(
    fc.asyncProperty(fc.nat(99), fc.integer({ min: 1, max: 255 }), async (place, change) => {
      const damaged = Buffer.from(bytes);
      damaged[place] = (damaged[place] ?? 0) ^ change;
      let seen = 0;

      await assert.rejects(
        async () => {
          const download = { sizeBytes: 100, checksum, body: copies(damaged, 30) };
          for await (const chunk of verified(ref, download, call)) seen += chunk.byteLength;
        },
        (error) => isKind(error, "corrupt"),
      );
      assert.equal(seen, 90);
    }),
  );
});

test("recorded parts that do not add up to the object are corrupt, and the body is left", async () => {
  const bytes = sampleBytes(100);
  const checksum = await compositeOf("crc32", bytes, [40, 40]);
  let isLeft = false;
  const body = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* copies(bytes, 30);
    } finally {
      isLeft = true;
    }
  };

  await assert.rejects(collect(verified(ref, { sizeBytes: 100, checksum, body: body() }, call)), (error) =>
    isKind(error, "corrupt"),
  );

  assert.ok(isLeft);
});

for (const sizeBytes of [99, 101])
  test(`a body of 100 bytes that was announced with ${sizeBytes} is corrupt`, async () => {
    const download = { sizeBytes, checksum: undefined, body: copies(sampleBytes(100), 30) };

    await assert.rejects(collect(verified(ref, download, call)), (error) => isKind(error, "corrupt"));
  });

test("an object without a recorded checksum is served, and the log says so", async () => {
  const lines: string[] = [];
  const log = { ...silentLogger, info: (message: string) => void lines.push(message) };
  const download = { sizeBytes: 10, checksum: undefined, body: copies(sampleBytes(10), 3) };

  const served = await collect(verified(ref, download, { ...call, log }));

  assert.equal(served.byteLength, 10);
  assert.match(lines.join(), /unverified/);
});
