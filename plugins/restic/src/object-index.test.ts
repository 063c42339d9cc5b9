import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { isKind } from "@flotilla/sdk/plugin";
import * as fc from "fast-check";
import { ObjectIndex } from "./object-index.ts";
import { dataTags, parseTags, recordTags, wholeTags } from "./object-tags.ts";
import type { ObjectRecord } from "./object-tags.ts";
import type { ListedSnapshot } from "./snapshot-list.ts";

const object = { bucket: "b", key: "backups/a/a.tar.gz" };

function recordOf(upload: string, order: number, sizeBytes = 10): ObjectRecord {
  return { ...object, upload, order, content: { sizeBytes, sha256: createHash("sha256").update(upload).digest() } };
}

function snapshot(id: string, tags: readonly string[], sizeBytes?: number): ListedSnapshot {
  return { id, startedMs: 0, tags, sizeBytes };
}

const data = (upload: string): ListedSnapshot => snapshot(`data-${upload}`, dataTags(object, upload));
const record = (upload: string, order: number, sizeBytes?: number): ListedSnapshot =>
  snapshot(`record-${upload}`, recordTags(recordOf(upload, order, sizeBytes)));
const deletion = (upload: string, order: number): ListedSnapshot =>
  snapshot(`record-${upload}`, recordTags({ ...object, upload, order, content: undefined }));

test("data without a record is no object", () => {
  const index = new ObjectIndex([data("one")]);

  assert.equal(index.current(object), undefined);
  assert.deepEqual(index.keys("b"), []);
  assert.deepEqual(
    index.looseData().map(({ id }) => id),
    ["data-one"],
  );
});

test("a record without its data is no object, and shows no older version either way round", () => {
  const index = new ObjectIndex([record("new", 2), record("old", 1), data("old")]);

  assert.equal(index.current(object)?.upload, "old");
  assert.deepEqual(
    index.orphans().map(({ upload }) => upload),
    ["new"],
  );
  assert.deepEqual(index.superseded(), []);
});

test("of two versions the one of the higher order counts, wherever the listing has it", () => {
  for (const snapshots of [
    [record("a", 1), data("a"), record("b", 2), data("b")],
    [data("b"), record("b", 2), data("a"), record("a", 1)],
  ]) {
    const index = new ObjectIndex(snapshots);

    assert.equal(index.current(object)?.dataId, "data-b");
    assert.equal(index.lastOrder, 2);
    assert.deepEqual(
      index.superseded().map(({ version, sinceMs }) => `${version.recordId} ${sinceMs}`),
      ["record-a 2"],
    );
  }
});

test("of two versions of one order all readers choose the same", () => {
  const [one, other] = [
    new ObjectIndex([record("a", 1, 0), record("b", 1, 0)]),
    new ObjectIndex([record("b", 1, 0), record("a", 1, 0)]),
  ];

  assert.equal(one.current(object)?.upload, other.current(object)?.upload);
});

test("a deletion hides what is older, not what is newer, and is left over once alone", () => {
  const hidden = new ObjectIndex([record("a", 1), data("a"), deletion("d", 2)]);
  assert.equal(hidden.current(object), undefined);
  assert.deepEqual(hidden.keys("b"), []);
  assert.deepEqual(
    hidden.superseded().map(({ version }) => version.upload),
    ["a"],
  );

  const putAgain = new ObjectIndex([deletion("d", 2), record("a", 3), data("a")]);
  assert.equal(putAgain.current(object)?.upload, "a");
  assert.deepEqual(
    new ObjectIndex([deletion("d", 2)]).superseded().map(({ version }) => version.upload),
    ["d"],
  );
});

test("a snapshot that is data and record in one counts if it is as long as it says", () => {
  const tags = wholeTags(recordOf("a", 1, 10));

  assert.equal(new ObjectIndex([snapshot("s", tags, 10)]).current(object)?.dataId, "s");
  assert.equal(new ObjectIndex([snapshot("s", tags, 9)]).current(object), undefined);
  assert.throws(
    () => new ObjectIndex([snapshot("s", tags)]),
    (error) => isKind(error, "invalid-config"),
  );
});

test("an empty object needs no data", () => {
  const current = new ObjectIndex([record("a", 1, 0)]).current(object);

  assert.equal(current?.content?.sizeBytes, 0);
  assert.equal(current?.dataId, undefined);
});

test("snapshots of others, and tags that nobody wrote so, are left alone", () => {
  const [size = ""] = recordTags(recordOf("a", 1)).filter((tag) => tag.startsWith("flotilla.io/size="));
  const broken = recordTags(recordOf("a", 1)).map((tag) => (tag === size ? "flotilla.io/size=ten" : tag));
  const index = new ObjectIndex([snapshot("x", []), snapshot("y", ["backup", "=", "a=b"]), snapshot("z", broken)]);

  assert.deepEqual(index.keys("b"), []);
  assert.deepEqual(index.superseded(), []);
  assert.deepEqual(index.looseData(), []);
});

test("any bucket and key comes back from its tags, none of which holds a comma or white space", () => {
  const anyText = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(
    fc.property(anyText, anyText, (bucket, key) => {
      const tags = wholeTags({ ...recordOf("u", 7), bucket, key });
      const found = parseTags(tags);
      assert.ok(tags.every((tag) => !/[,\s]/.test(tag)));
      assert.ok(found?.kind === "record" && found.holdsData);
      assert.deepEqual([found.record.bucket, found.record.key, found.record.order], [bucket, key, 7]);
    }),
  );
});
