import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { defaultTries, silentLogger } from "../plugin/index.ts";
import { chunksOf, MemoryBlobDriver, sampleBytes } from "../testing/index.ts";
import { checksumOf } from "./checksum.ts";
import { ObjectHash } from "./object-hash.ts";
import { PartPool } from "./part-pool.ts";
import { uploadObject } from "./upload.ts";
import { systemClock } from "../plugin/index.ts";
import type { MemoryBlobOptions } from "../testing/index.ts";

for (const algorithm of ["md5", "sha1", "sha256"] as const)
  test(`${algorithm} is computed over each part and over the whole in one pass`, async () => {
    const anyParts = fc.array(fc.uint8Array({ maxLength: 50 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(anyParts, async (parts) => {
        const hash = new ObjectHash(algorithm);

        for (const part of parts) {
          hash.update(part);
          assert.deepEqual(hash.digest(), await checksumOf(algorithm, part));
        }

        assert.deepEqual(hash.digestWhole(), await checksumOf(algorithm, Buffer.concat(parts)));
      }),
      { numRuns: 50 },
    );
  });

async function upload(sizeBytes: number, options: MemoryBlobOptions): Promise<MemoryBlobDriver> {
  const driver = new MemoryBlobDriver(options);
  const retry = { ...defaultTries, clock: systemClock, random: Math.random };
  const context = { driver, pool: new PartPool(64 * 1024), retry };
  const call = { signal: new AbortController().signal, log: silentLogger };
  await uploadObject(context, { bucket: "b", key: "k" }, chunksOf(sampleBytes(sizeBytes), 999), call);
  return driver;
}

for (const sizeBytes of [0, 1, 8191, 8192, 8193, 50_000])
  test(`the store is given the MD5 of all ${sizeBytes} bytes, however many parts they took`, async () => {
    const driver = await upload(sizeBytes, { checksumAlgorithm: "md5", hashesWholeObject: true });

    const expected = { ...(await checksumOf("md5", sampleBytes(sizeBytes))), scope: "full-object" };
    assert.deepEqual(driver.objects.get("k")?.checksum, expected);
  });

test("without the whole object's hash the store keeps what it has of the parts", async () => {
  const driver = await upload(50_000, { checksumAlgorithm: "md5" });

  assert.notEqual(driver.objects.get("k")?.checksum?.scope, "full-object");
});

test("the first parts have the size that the location asks for", async () => {
  const driver = await upload(5000, { checksumAlgorithm: "md5", firstPartBytes: 1000 });

  assert.deepEqual(driver.objects.get("k")?.checksum?.scope, { partSizes: [1000, 1000, 1000, 1000, 1000] });
});

test("a wish beyond half of the memory is cut to it", async () => {
  const driver = await upload(50_000, { checksumAlgorithm: "md5", firstPartBytes: 1_000_000 });

  assert.deepEqual(driver.objects.get("k")?.checksum?.scope, { partSizes: [32 * 1024, 50_000 - 32 * 1024] });
});
