import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { failureOf } from "./bytes.ts";
import { startObjectRig } from "./object-rig.ts";

const manyKeys = Array.from({ length: 10_000 }, (_, index) => `backups/b/${String(index).padStart(5, "0")}`);
const manyPrefixes = Array.from({ length: 2500 }, (_, index) => `backups/${String(index).padStart(4, "0")}/`);

const rig = await startObjectRig({
  seeds: { "ten-thousand": manyKeys, "many-prefixes": manyPrefixes.map((prefix) => `${prefix}velero-backup.json`) },
});
after(() => rig.close());

describe("keys", { concurrency: true }, () => {
  test("a key of more than 1024 bytes is refused as a wrong argument", async () => {
    const location = await rig.open("too-long");

    const error = await failureOf(location.put("k".repeat(1025), Buffer.from("x")));

    assert.equal(error.kind, "invalid-argument");
    assert.match(error.message, /key.*too long|KeyTooLong/i);
  });

  for (const [name, key] of [
    ["spaces", " a key  with spaces "],
    ["plus", "a+b++c"],
    ["percent", "100%/%2F/%zz"],
    ["slashes", "a//b///c/"],
    ["dots", "a/./b/../c"],
    ["query", "a?b=c&d#e"],
    ["quotes", `it's "quoted" <&>`],
    ["reserved", "!*'();:@,$[]{}|\\^`~"],
    ["unicode", "größe/日本語/🙂/e\u0301"],
    ["controls", "tab\tnewline\nreturn\rend"],
    ["longest", "k".repeat(1024)],
    ["longest-unicode", "é".repeat(512)],
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
});

describe("more than a page", { concurrency: true }, () => {
  test("ten thousand keys are listed whole and in descending order", async () => {
    const location = await rig.open("ten-thousand", { bucketIs: "there" });

    assert.deepEqual(await location.list("backups/b/"), manyKeys.toReversed());
  });

  test("common prefixes beyond one page are all answered", async () => {
    const { store, bucket } = await rig.open("many-prefixes", { bucketIs: "there" });

    const prefixes = await store.listCommonPrefixes({ bucket, prefix: "backups/", delimiter: "/" });

    assert.deepEqual([...prefixes].sort(), manyPrefixes);
  });
});
