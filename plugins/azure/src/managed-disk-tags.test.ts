import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { diskTags, readTags, snapshotTags } from "./managed-disk-tags.ts";
import type { SnapshotTagSources } from "./managed-disk-tags.ts";

function tagsOf(sources: Partial<SnapshotTagSources>): ReturnType<typeof snapshotTags> {
  return snapshotTags({ location: {}, server: {}, marks: {}, disk: {}, ...sources });
}

function numbered(count: number, prefix: string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, "v"]));
}

test("slashes in the names of the server's tags become hyphens", () => {
  assert.deepEqual(tagsOf({ server: { "velero.io/backup": "b" } }).tags, { "velero.io-backup": "b" });
});

test("the disk's tags yield to the server's, and both to the location's", () => {
  const { tags } = tagsOf({
    disk: { team: "disk", "velero.io-backup": "old", a: "disk" },
    server: { "velero.io/backup": "new", team: "server" },
    location: { team: "location" },
  });

  assert.deepEqual(tags, { team: "location", "velero.io-backup": "new", a: "disk" });
});

test("names that differ in case only are one tag", () => {
  const { tags } = tagsOf({ disk: { TEAM: "disk" }, server: { Team: "server" }, location: { team: "location" } });

  assert.deepEqual(tags, { team: "location" });
});

test("characters that Azure forbids in a name become hyphens", () => {
  assert.deepEqual(tagsOf({ location: { "a/b<c>d%e&f\\g?": "v" } }).tags, { "a-b-c-d-e-f-g-": "v" });
});

test("what Azure reserves or is too long is left out and told", () => {
  const { tags, dropped } = tagsOf({
    disk: { "Azure-x": "v", "hidden-title": "v" },
    server: { "microsoft/x": "v", long: "v".repeat(257) },
    location: { ["k".repeat(513)]: "v" },
  });

  assert.deepEqual(tags, { "hidden-title": "v" });
  assert.deepEqual(dropped.toSorted(), ["k".repeat(513), "long", "microsoft-x"].toSorted());
});

test("a stale mark of the disk is not taken over", () => {
  const { tags } = tagsOf({ disk: { "flotilla.io-iops": "1" }, marks: { "flotilla.io-throughput": "2" } });

  assert.deepEqual(tags, { "flotilla.io-throughput": "2" });
});

test("at most 50 tags are set: what finds a snapshot again first, then marks, the location's and the server's", () => {
  const { tags, dropped } = tagsOf({
    location: numbered(40, "location-"),
    server: { ...numbered(20, "server-"), "velero.io/backup": "b", "velero.io/pv": "p" },
    marks: { "flotilla.io-iops": "1" },
    disk: numbered(3, "disk-"),
  });

  assert.equal(Object.keys(tags).length, 50);
  for (const name of ["velero.io-backup", "velero.io-pv", "flotilla.io-iops", "location-39"]) assert.ok(tags[name]);
  assert.equal(dropped.length, 13 + 3);
});

test("whatever the sources hold, Azure takes the result", () => {
  const tags = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.string({ maxLength: 300 }));
  // Azure itself keeps no two names that differ in case alone.
  const kept = tags.filter(
    (disk) => new Set(Object.keys(disk).map((name) => name.toLowerCase())).size === Object.keys(disk).length,
  );
  fc.assert(
    fc.property(tags, tags, kept, (location, server, disk) => {
      const names = Object.keys(snapshotTags({ location, server, marks: {}, disk: diskTags(disk) }).tags);

      assert.ok(names.length <= 50);
      assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
    }),
  );
});

test("a restored disk has the snapshot's tags without our marks", () => {
  assert.deepEqual(diskTags({ team: "x", "velero.io-backup": "b", "flotilla.io-iops": "1" }), {
    team: "x",
    "velero.io-backup": "b",
  });
});

test("a tag without a value is read as empty", () => {
  assert.deepEqual([readTags({ a: null, b: "x" }), readTags(undefined)], [{ a: "", b: "x" }, {}]);
});
