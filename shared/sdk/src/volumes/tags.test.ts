import assert from "node:assert/strict";
import { test } from "node:test";
import { inheritTags } from "./tags.ts";

const isReserved = (name: string): boolean => name.startsWith("aws:");

test("own tags win over inherited ones, and reserved ones are left out", () => {
  const inherited = { team: "a", "aws:created-by": "x", "velero.io/backup": "old" };

  const { tags, dropped } = inheritTags({ own: { "velero.io/backup": "b1" }, inherited, isReserved, maxTags: 50 });

  assert.deepEqual(tags, { team: "a", "velero.io/backup": "b1" });
  assert.deepEqual(dropped, []);
});

test("own tags are kept and inherited ones dropped by name when there are too many", () => {
  const inherited = { c: "3", a: "1", b: "2" };

  const { tags, dropped } = inheritTags({ own: { z: "0" }, inherited, isReserved, maxTags: 2 });

  assert.deepEqual(tags, { a: "1", z: "0" });
  assert.deepEqual(dropped, ["b", "c"]);
});
