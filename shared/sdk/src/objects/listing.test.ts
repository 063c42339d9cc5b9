import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { silentLogger } from "../plugin/index.ts";
import { MemoryBlobDriver } from "../testing/index.ts";
import { compareKeys, listCommonPrefixes, listObjects } from "./listing.ts";
import type { Call } from "../plugin/index.ts";
import type { BlobDriver, BlobPage } from "./blob-driver.ts";

const call: Call = { signal: new AbortController().signal, log: silentLogger };

function driverWith(keys: readonly string[]): MemoryBlobDriver {
  const driver = new MemoryBlobDriver({ pageSize: 3 });
  for (const key of keys) driver.store(key, Buffer.alloc(0), undefined);
  return driver;
}

test("objects come from all pages, descending, so that a folder marker goes last", async () => {
  const driver = driverWith(["b/", "b/1", "b/2", "b/10", "b/z", "c/1"]);

  assert.deepEqual(await listObjects(driver, { bucket: "x", prefix: "b/" }, call), ["b/z", "b/2", "b/10", "b/1", "b/"]);
});

test("common prefixes come from all pages, whole and each once", async () => {
  const driver = driverWith(["p/a/1", "p/a/2", "p/b/1", "p/c/1", "p/d/1", "p/file", "q/a/1"]);

  const prefixes = await listCommonPrefixes(driver, { bucket: "x", prefix: "p/", delimiter: "/" }, call);

  assert.deepEqual(prefixes, ["p/a/", "p/b/", "p/c/", "p/d/"]);
});

test("a prefix that two pages share is listed once", async () => {
  const driver = driverWith([]);
  const repeating: BlobDriver = Object.assign(driver, {
    list: async function* (): AsyncGenerator<BlobPage> {
      yield { keys: [], commonPrefixes: ["a/", "b/"] };
      yield { keys: [], commonPrefixes: ["b/", "c/"] };
    },
  });

  const prefixes = await listCommonPrefixes(repeating, { bucket: "x", prefix: "", delimiter: "/" }, call);

  assert.deepEqual(prefixes, ["a/", "b/", "c/"]);
});

test("keys compare as their UTF-8 bytes do", () => {
  const anyKey = fc.string({ unit: "binary", maxLength: 6 });
  fc.assert(
    fc.property(anyKey, anyKey, (a, b) => {
      assert.equal(Math.sign(compareKeys(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 2000 },
  );
  assert.ok(compareKeys("\u{1F600}", "\uFFFD") > 0);
});
