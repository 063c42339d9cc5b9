import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { startBlobRig } from "./blob-rig.ts";

/** A service may answer fewer entries than it is asked for, and far fewer than the 5000 that it may. */
const pageSize = 100;

const rig = await startBlobRig({ pageSize });
after(() => rig.close());

describe("keys", { concurrency: 4 }, () => {
  test("a key of more than 1024 characters is refused as a wrong argument", async () => {
    const location = await rig.open("too-long");

    const error = await failureOf(location.put("k".repeat(1025), Buffer.from("x")));

    assert.equal(error.kind, "invalid-argument");
    assert.match(error.message, /too long|OutOfRange|InvalidResourceName/i);
  });

  for (const key of ["a/./b", "a/../b", "..", "./a", "a\\b"]) {
    test(`the key ${key}, which would become another one, is refused and touches nothing`, async () => {
      const location = await rig.open(`dots-${Buffer.from(key).toString("hex")}`);
      await location.put("b", Buffer.from("other"));

      const errors = await Promise.all([
        failureOf(location.put(key, Buffer.from("x"))),
        failureOf(location.get(key)),
        failureOf(location.exists(key)),
        failureOf(location.store.deleteObject(location.at(key))),
      ]);

      assert.deepEqual(
        errors.map(({ kind }) => kind),
        Array.from({ length: 4 }, () => "invalid-argument"),
      );
      assert.deepEqual(await location.list(), ["b"]);
    });
  }

  for (const [name, key] of [
    ["spaces", "a key  with spaces"],
    ["plus", "a+b++c"],
    ["percent", "100%/%2F/%zz/%25"],
    ["slashes", "a//b///c"],
    ["query", "a?b=c&d#e"],
    ["quotes", `it's "quoted" <&>`],
    ["reserved", "!*'();:@,$[]{}|^`~"],
    ["unicode", "größe/日本語/🙂/e\u0301"],
    ["longest", "k".repeat(1024)],
    ["marker", "backups/"],
  ] as const) {
    test(`a key with ${name} is written, found, listed, read and deleted`, async () => {
      const location = await rig.open(`key-${name}`);

      await location.put(key, Buffer.from(key));

      assert.equal(await location.exists(key), true);
      assert.deepEqual(await location.list(), [key]);
      assert.equal((await location.get(key)).toString(), key);
      await location.store.deleteObject(location.at(key));
      assert.deepEqual(await location.list(), []);
    });
  }

  test("deleting twice succeeds twice", async () => {
    const location = await rig.open("delete-twice");
    await location.put("contents", Buffer.from("x"));

    await location.store.deleteObject(location.at("contents"));
    await location.store.deleteObject(location.at("contents"));

    assert.equal(await location.exists("contents"), false);
  });

  test("an empty container has no keys and no prefixes", async () => {
    const { store, bucket } = await rig.open("nothing");

    assert.deepEqual(await store.listObjects({ bucket, prefix: "" }), []);
    assert.deepEqual(await store.listCommonPrefixes({ bucket, prefix: "", delimiter: "/" }), []);
  });

  test("keys come in descending order, a folder marker after what is below it", async () => {
    const location = await rig.open("descending");
    for (const key of ["b/marker/", "b/marker/file", "a", "b/marker.txt", "B"]) {
      await location.put(key, Buffer.from("x"));
    }

    assert.deepEqual(await location.list(), ["b/marker/file", "b/marker/", "b/marker.txt", "a", "B"]);
  });

  test("only keys below the prefix are listed", async () => {
    const location = await rig.open("below");
    for (const key of ["backups/a/1", "backups/ab/1", "restores/a/1"]) await location.put(key, Buffer.from("x"));

    assert.deepEqual(await location.list("backups/a/"), ["backups/a/1"]);
  });

  test("common prefixes are whole, end with the delimiter and leave keys out", async () => {
    const location = await rig.open("prefixes");
    for (const key of ["p/backups/a/1", "p/backups/b/1", "p/backups/loose", "p/kopia/x"]) {
      await location.put(key, Buffer.from("x"));
    }

    const { bucket } = location;
    const prefixes = await location.store.listCommonPrefixes({ bucket, prefix: "p/backups/", delimiter: "/" });

    assert.deepEqual([...prefixes].sort(), ["p/backups/a/", "p/backups/b/"]);
  });
});

/** Fills a container from beside the plugin, many at a time. */
async function fill(bucket: string, keys: readonly string[]): Promise<void> {
  const client = rig.container(bucket);
  const left = keys.values();
  const worker = async (): Promise<void> => {
    for (const key of left) await client.getBlockBlobClient(key).upload("", 0);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

describe("more than a page", { timeout: 600_000 }, () => {
  test("keys of six pages are listed whole and in descending order", async () => {
    const keys = Array.from({ length: 520 }, (_, index) => `backups/b/${String(index).padStart(5, "0")}`);
    const location = await rig.open("many-keys");
    await fill("many-keys", keys);

    assert.deepEqual(await location.list("backups/b/"), keys.toReversed());
    assert.equal(rig.requestsOf("many-keys", "ListBlobs").length, 6);
  });

  test("common prefixes beyond one page are all answered", async () => {
    const prefixes = Array.from({ length: 250 }, (_, index) => `backups/${String(index).padStart(4, "0")}/`);
    const { store, bucket } = await rig.open("many-prefixes");
    await fill(
      "many-prefixes",
      prefixes.map((prefix) => `${prefix}velero-backup.json`),
    );

    const found = await store.listCommonPrefixes({ bucket, prefix: "backups/", delimiter: "/" });

    assert.deepEqual([...found].sort(), prefixes);
  });
});
