import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { startGcsRig } from "./gcs-rig.ts";

/** A service may answer fewer entries than it is asked for, and far fewer than the 1000 that it usually does. */
const pageSize = 100;

const rig = await startGcsRig({ pageSize });
after(() => rig.close());

describe("keys", { concurrency: 4, timeout: 240_000 }, () => {
  test("a key of more than 1024 bytes is refused as a wrong argument", async () => {
    const location = await rig.open("too-long");

    const error = await failureOf(location.put("k".repeat(1025), Buffer.from("x")));

    assert.equal(error.kind, "invalid-argument");
    assert.match(error.message, /1024/);
  });

  for (const key of [".", ".."]) {
    test(`a key of ${key.length} dots, which no object has, is refused`, async () => {
      const location = await rig.open(`dots-${key.length}`);

      assert.equal((await failureOf(location.put(key, Buffer.from("x")))).kind, "invalid-argument");
      assert.equal((await failureOf(location.get(key))).kind, "invalid-argument");
    });
  }

  for (const [name, key] of [
    ["spaces", "a b/  c"],
    ["percent", "100%/50%25"],
    ["plus", "a+b=c&d?e#f"],
    ["unicode", "größe/日本語/😀"],
    ["quotes", `it's "quoted" (and) *starred*!`],
    ["dot-folders", "a/./b/../c"],
    ["slashes", "/leading//double/"],
    ["backslash", "a\\b|c^d`e"],
    ["long", "k".repeat(1024)],
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

  test("an empty bucket has no keys and no prefixes", async () => {
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

  test("deleting an object of a bucket with versions leaves its former generations", async () => {
    const location = await rig.open("versions");
    await rig.bucket("versions").setMetadata({ versioning: { enabled: true } });
    await location.put("contents", Buffer.from("one"));
    await location.put("contents", Buffer.from("two"));

    await location.store.deleteObject(location.at("contents"));

    assert.equal(await location.exists("contents"), false);
    const [files] = await rig.bucket("versions").getFiles({ versions: true });
    assert.equal(files.length, 2);
  });
});

/** Fills a bucket from beside the plugin, many at a time. */
async function fill(bucket: string, keys: readonly string[]): Promise<void> {
  const left = keys.values();
  const worker = async (): Promise<void> => {
    for (const key of left) await rig.bucket(bucket).file(key).save("", { resumable: false, validation: false });
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

describe("more than a page", { timeout: 600_000 }, () => {
  test("keys of six pages are listed whole and in descending order", async () => {
    const keys = Array.from({ length: 520 }, (_, index) => `backups/b/${String(index).padStart(5, "0")}`);
    const location = await rig.open("many-keys");
    await fill("many-keys", keys);

    assert.deepEqual(await location.list("backups/b/"), keys.toReversed());
    assert.equal(rig.requestsOf("many-keys", "ListObjects").length, 6);
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
