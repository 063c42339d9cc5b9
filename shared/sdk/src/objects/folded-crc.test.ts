import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createCRC32, createCRC64 } from "hash-wasm";
import { crcModels } from "./crc-combine.ts";
import { planFolding } from "./crc-folding.ts";
import { createFoldedCrc } from "./folded-crc.ts";

const { crc32, crc32c, crc64nvme } = crcModels;
const cases = [
  ["crc32c", crc32c, await createCRC32(Number(crc32c.polynomial))],
  ["crc64nvme", crc64nvme, await createCRC64(crc64nvme.polynomial.toString(16))],
] as const;

function sampleBytes(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => Math.imul(index + seed, 0x9e3779b1) >>> 24));
}

for (const [name, model, reference] of cases) {
  const expected = (bytes: Uint8Array): string => reference.init().update(bytes).digest("hex");
  const actual = (...chunks: readonly Uint8Array[]): string => {
    const crc = createFoldedCrc(model);
    for (const chunk of chunks) crc.update(chunk);
    return crc.digest().toString("hex");
  };

  test(`${name} of bodies of every length around a step is what another implementation computes`, () => {
    for (let length = 0; length <= 400; length += 1) {
      const bytes = sampleBytes(length, length);

      assert.equal(actual(bytes), expected(bytes), `${length} bytes`);
    }
  });

  test(`${name} of bodies beyond the program's memory is what another implementation computes`, () => {
    for (const length of [60 * 1024, 60 * 1024 + 1, 64 * 1024, 262_144, 1_000_003]) {
      const bytes = sampleBytes(length, length);

      assert.equal(actual(bytes), expected(bytes), `${length} bytes`);
    }
  });

  test(`${name} does not depend on how a body is cut, nor on where in memory it lies`, () => {
    const body = sampleBytes(200_000, 7);
    const cuts = fc.array(fc.nat({ max: body.byteLength }), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, fc.nat({ max: 300 }), (unsorted, start) => {
        const ends = [...unsorted.filter((cut) => cut > start), body.byteLength].sort((a, b) => a - b);
        const chunks = ends.map((cut, index) => body.subarray(ends[index - 1] ?? start, cut));

        assert.equal(actual(...chunks), expected(body.subarray(start)));
      }),
      { numRuns: 60 },
    );
  });

  test(`${name} tells every flipped bit of a body`, () => {
    const body = sampleBytes(300, 1);
    const clean = actual(body);
    for (let bit = 0; bit < body.byteLength * 8; bit += 1) {
      const damaged = Buffer.from(body);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));

      assert.notEqual(actual(damaged), clean, `bit ${bit}`);
    }
  });

  test(`two bodies whose ${name} is computed at once do not mix`, () => {
    const [one, other] = [sampleBytes(5000, 1), sampleBytes(7000, 2)];
    const [first, second] = [createFoldedCrc(model), createFoldedCrc(model)];

    for (let at = 0; at < 7000; at += 333) {
      first.update(one.subarray(at, at + 333));
      second.update(other.subarray(at, at + 333));
    }

    assert.equal(first.digest().toString("hex"), expected(one));
    assert.equal(second.digest().toString("hex"), expected(other));
  });
}

test("the polynomial of CRC32 has no such folding: Node computes that one itself", () => {
  assert.equal(planFolding(crc32), undefined);
});
