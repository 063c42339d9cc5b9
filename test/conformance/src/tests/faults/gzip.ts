import { gzipSync } from "node:zlib";

import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, expectEqual, expectError } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";

const mebibyte = 1024 ** 2;

interface Cut {
  readonly name: string;
  readonly key: string;
  readonly whole: () => Buffer;
  /** Where the stream ends, from the whole's size. */
  readonly end: (sizeBytes: number) => number;
}

const small = (): Buffer => gzipSync(bodyOf("gzip", 200_000));
const large = (): Buffer => gzipSync(bodyOf("gzip", 20 * mebibyte), { level: 1 });
const twoMembers = (): Buffer => Buffer.concat([gzipSync("first"), gzipSync(bodyOf("second", 50_000))]);

const cuts: readonly Cut[] = [
  { name: "after its first byte", key: "a.json.gz", whole: small, end: () => 1 },
  { name: "in its header", key: "a.tar.gz", whole: small, end: () => 5 },
  { name: "after its header", key: "a.json.gz", whole: small, end: () => 10 },
  { name: "in the middle", key: "a.tar.gz", whole: small, end: (sizeBytes) => Math.floor(sizeBytes / 2) },
  { name: "before its checksum", key: "a.json.gz", whole: small, end: (sizeBytes) => sizeBytes - 8 },
  { name: "before its last byte", key: "a.tar.gz", whole: small, end: (sizeBytes) => sizeBytes - 1 },
  { name: "in its second member", key: "a.json.gz", whole: twoMembers, end: (sizeBytes) => sizeBytes - 1000 },
  { name: "in the middle of many parts", key: "a.tar.gz", whole: large, end: (sizeBytes) => sizeBytes / 2 },
];

/** What must be taken under a key, byte for byte. */
const accepted: readonly (readonly [name: string, key: string, body: () => Buffer])[] = [
  ["a whole gzip", "a.tar.gz", small],
  ["a large whole gzip", "a.tar.gz", large],
  ["a gzip of several members", "a.json.gz", twoMembers],
  ["a gzip of nothing", "a.json.gz", () => gzipSync("")],
  ["a truncated gzip under another name", "a.json", () => small().subarray(0, 1000)],
];

/** Streams that the server half-closed because its own reading failed. */
export const gzipTests: readonly ConformanceTest[] = [
  ...cuts.map(cutTest),
  {
    id: "faults/gzip/keeps-the-former",
    title: "a *.gz that ends in the middle leaves the whole one that was there",
    rule: "truncated-gzip-is-refused",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore({ mayWarn: true });
      const former = gzipSync("former");
      await store.put(t.key("a.tar.gz"), former);

      await expectError(store.put(t.key("a.tar.gz"), small().subarray(0, 100_000)), "the put of a truncated gzip");

      expectBytes(await store.get(t.key("a.tar.gz")), former, "the former object");
    },
  },
  ...accepted.map(([name, key, body]): ConformanceTest => ({
    id: `faults/gzip/takes-${name.replace(/^an? /, "").replaceAll(" ", "-")}`,
    title: `${name} is stored as it is`,
    rule: "put-keeps-every-byte",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();

      await store.put(t.key(key), body());

      expectBytes(await store.get(t.key(key)), body(), "the object");
    },
  })),
  {
    id: "faults/gzip/takes-other-content",
    title: "content under a *.gz that is no gzip from its first byte on is stored as it is",
    rule: "gz-keys-take-other-content",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const body = Buffer.from("no gzip, and nobody said so");

      await store.put(t.key("a.gz"), body);

      expectBytes(await store.get(t.key("a.gz")), body, "the object");
    },
  },
];

function cutTest({ name, key, whole, end }: Cut): ConformanceTest {
  return {
    id: `faults/gzip/ends-${name.replaceAll(" ", "-")}`,
    title: `a *.gz whose stream ends ${name} is refused and not visible`,
    rule: "truncated-gzip-is-refused",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore({ mayWarn: true });
      const body = whole();

      await expectError(store.put(t.key(key), body.subarray(0, end(body.length))), "the put of a truncated gzip");

      expect(!(await store.exists(t.key(key))), "the truncated object is visible");
      expectEqual(await store.listObjects(t.prefix), [], "the listing after the refusal");
    },
  };
}
