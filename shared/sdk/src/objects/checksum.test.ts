import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { checksumOf, combineChecksums, createChecksum, isSameChecksum, printChecksum } from "./checksum.ts";
import type { ComputedAlgorithm } from "./checksum.ts";

const vectors: readonly (readonly [ComputedAlgorithm, string, string])[] = [
  ["crc32", "123456789", "cbf43926"],
  ["crc32c", "123456789", "e3069283"],
  ["crc64nvme", "123456789", "ae8b14860a799888"],
  ["crc64nvme", "", "0000000000000000"],
  ["sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ["sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["md5", "abc", "900150983cd24fb0d6963f7d28e17f72"],
];
const crcs: readonly ComputedAlgorithm[] = ["crc32", "crc32c", "crc64nvme"];

for (const [algorithm, text, hex] of vectors)
  test(`${algorithm} of ${JSON.stringify(text)} is the published value`, async () => {
    const checksum = await checksumOf(algorithm, Buffer.from(text));

    assert.equal(Buffer.from(checksum.bytes).toString("hex"), hex);
  });

for (const algorithm of new Set(vectors.map(([algorithm]) => algorithm)))
  test(`${algorithm} does not depend on how the bytes are cut, and starts anew after a digest`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 })), async (chunks) => {
        const running = await createChecksum(algorithm);
        running.update(Buffer.from("what came before"));
        running.digest();
        for (const chunk of chunks) running.update(chunk);

        assert.ok(isSameChecksum(running.digest(), await checksumOf(algorithm, Buffer.concat(chunks))));
      }),
      { numRuns: 50 },
    );
  });

for (const algorithm of crcs)
  test(`${algorithm} of two byte strings in a row follows from theirs`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), async (a, b) => {
        const combined = combineChecksums(await checksumOf(algorithm, a), await checksumOf(algorithm, b), b.byteLength);

        assert.ok(combined);
        assert.ok(isSameChecksum(combined, await checksumOf(algorithm, Buffer.concat([a, b]))));
      }),
    );
  });

for (const algorithm of crcs)
  test(`${algorithm} combines over a length beyond 32 bits`, async () => {
    // Appending n zero bytes twice is appending 2n of them, for any n.
    const zeros = async (n: number): Promise<Awaited<ReturnType<typeof checksumOf>>> =>
      await checksumOf(algorithm, Buffer.alloc(n));
    let sum = await zeros(1024);
    let bytes = 1024;
    for (; bytes < 2 ** 36; bytes *= 2) sum = combineChecksums(sum, sum, bytes) ?? sum;
    let other = await zeros(1024);
    const step = 3 * 1024;
    const three = await zeros(step);
    other = combineChecksums(other, three, step) ?? other;
    for (let length = 4096; length < bytes; length *= 2) other = combineChecksums(other, other, length) ?? other;

    assert.deepEqual(sum, other);
  });

test("hashes do not combine", async () => {
  const sum = await checksumOf("sha256", Buffer.from("a"));

  assert.equal(combineChecksums(sum, sum, 1), undefined);
});

test("checksums of different algorithms do not combine and are never the same", async () => {
  const [a, b] = [await checksumOf("crc32", Buffer.from("a")), await checksumOf("crc32c", Buffer.from("a"))];

  assert.equal(combineChecksums(a, b, 1), undefined);
  assert.equal(isSameChecksum(a, { ...a, algorithm: "crc32c" }), false);
});

test("a checksum prints as services print it", async () => {
  assert.equal(printChecksum(await checksumOf("crc32", Buffer.from("123456789"))), "y/Q5Jg==");
});
