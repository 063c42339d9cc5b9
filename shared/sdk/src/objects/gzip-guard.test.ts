import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { isKind } from "../plugin/index.ts";
import { chunksOf, collect, sampleBytes } from "../testing/index.ts";
import { guardGzip } from "./gzip-guard.ts";

const ref = { bucket: "b", key: "backups/a/a.tar.gz" };
const whole = gzipSync(sampleBytes(3000));

test("any truncation of a gzip stream is refused as incomplete", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: whole.byteLength - 1 }),
      fc.integer({ min: 1, max: 900 }),
      async (end, cut) => {
        await assert.rejects(collect(guardGzip(ref, chunksOf(whole.subarray(0, end), cut))), (error) =>
          isKind(error, "incomplete"),
        );
      },
    ),
  );
});

test("a truncation beyond the first blocks is refused as well", async () => {
  const large = gzipSync(randomBytes(1_500_000));

  await assert.rejects(collect(guardGzip(ref, chunksOf(large.subarray(0, -1), 16_384))), (error) =>
    isKind(error, "incomplete"),
  );
});

test("a broken structure is refused as corrupt, before all of it has passed", async () => {
  const large = gzipSync(randomBytes(4_000_000));
  // The first block's header: its last, of the type that does not exist.
  large[10] = 0x07;
  let passed = 0;

  await assert.rejects(
    async () => {
      for await (const chunk of guardGzip(ref, chunksOf(large, 16_384))) passed += chunk.byteLength;
    },
    (error) => isKind(error, "corrupt"),
  );

  assert.ok(passed < large.byteLength);
});

test("a content that differs from its own checksum is refused as corrupt", async () => {
  const broken = Buffer.from(whole);
  broken[broken.byteLength - 6] = (broken[broken.byteLength - 6] ?? 0) ^ 1;

  await assert.rejects(collect(guardGzip(ref, chunksOf(broken, 100))), (error) => isKind(error, "corrupt"));
});

test("text after the end of a member is refused as corrupt", async () => {
  await assert.rejects(collect(guardGzip(ref, chunksOf(Buffer.concat([whole, Buffer.from("text")]), 100))), (error) =>
    isKind(error, "corrupt"),
  );
});

const passing: readonly (readonly [string, Buffer])[] = [
  ["a whole gzip stream", whole],
  ["two members in a row", Buffer.concat([whole, gzipSync("more")])],
  ["padding of zeros", Buffer.concat([whole, Buffer.alloc(700)])],
  ["a member without content", gzipSync("")],
  ["content that is no gzip", sampleBytes(3000)],
  ["content that begins with half the magic", Buffer.from([0x1f, 0x00, 1, 2])],
  ["no content", Buffer.alloc(0)],
];
for (const [name, bytes] of passing)
  for (const chunkBytes of [1, 64, 100_000])
    test(`${name} passes untouched in chunks of ${chunkBytes}`, async () => {
      assert.ok((await collect(guardGzip(ref, chunksOf(bytes, chunkBytes)))).equals(bytes));
    });

test("a second member that is cut is refused", async () => {
  const bytes = Buffer.concat([whole, whole.subarray(0, 1)]);

  await assert.rejects(collect(guardGzip(ref, chunksOf(bytes, 64))), (error) => isKind(error, "incomplete"));
});

test("only keys that end with .gz are looked at", async () => {
  const cut = whole.subarray(0, 50);

  assert.ok((await collect(guardGzip({ bucket: "b", key: "a.tar" }, chunksOf(cut, 10)))).equals(cut));
});

test("a source that fails passes its own error on", async () => {
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield whole.subarray(0, 100);
    throw new Error("disk gone");
  };

  await assert.rejects(collect(guardGzip(ref, source())), /disk gone/);
});
