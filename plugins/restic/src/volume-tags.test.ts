import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { printCompletionTags, printVolumeTags, readCompletionTags, readVolumeTags } from "./volume-tags.ts";

const own = { snapshotId: "volume-1", folder: "nfs/pvc 1", isMountPoint: false };

test("whatever the server gives as tags, restic gets tags that it keeps as they are, and they are read back", () => {
  const name = fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => !text.startsWith("flotilla.io/volume"));
  const given = fc.dictionary(name, fc.string({ unit: "grapheme" }), { noNullPrototype: true });
  const names = fc.array(
    fc.stringMatching(/^[a-z ,=%é]{1,6}$/).filter((text) => text !== ""),
    { minLength: 1 },
  );
  const folders = names.map((list) => list.join("/"));
  fc.assert(
    fc.property(given, folders, fc.boolean(), (tags, folder, isMountPoint) => {
      const printed = printVolumeTags({ ...own, folder, isMountPoint, tags });

      // restic cuts at commas and trims white space.
      const kept = printed.flatMap((tag) => tag.split(",").map((piece) => piece.trim()));
      assert.deepEqual(kept, printed);
      assert.deepEqual(readVolumeTags(kept), { ...own, folder, isMountPoint, tags });
    }),
    { numRuns: 500 },
  );
});

test("a label of the server cannot pass for one of the plugin's own tags", () => {
  const tags = { "flotilla.io/volume-snapshot": "forged", "flotilla.io/volume-complete": "forged", app: "a" };

  const printed = printVolumeTags({ ...own, tags });

  assert.deepEqual(readVolumeTags(printed), { ...own, tags: { app: "a" } });
  assert.equal(readCompletionTags(printed), undefined);
});

test("a folder that leads out of the root is none, whoever wrote the tag", () => {
  for (const folder of ["..", "../etc", "a/../../etc", "/etc", "a//b", ".", "", "a\nb"])
    assert.equal(readVolumeTags(printVolumeTags({ ...own, folder, tags: {} })), undefined, folder);
});

test("a mark is told from files, and snapshots of others are neither", () => {
  const mark = printCompletionTags({ snapshotId: "volume-1", bytes: 12n });

  assert.deepEqual(readCompletionTags(mark), { snapshotId: "volume-1", bytes: 12n });
  assert.equal(readVolumeTags(mark), undefined);
  for (const tags of [[], ["a"], ["backup=b", "ns=shop"], ["%=%"]]) {
    assert.equal(readVolumeTags(tags), undefined);
    assert.equal(readCompletionTags(tags), undefined);
  }
});
