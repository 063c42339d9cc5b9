import assert from "node:assert/strict";
import { test } from "node:test";
import { copyTags, originOf } from "./managed-disk-copy-tags.ts";
import { copyName, printComputeId } from "./managed-disk-ids.ts";
import type { ComputeId } from "./managed-disk-ids.ts";

const origin: ComputeId = { type: "snapshots", subscription: "0000-aa", resourceGroup: "MC_home", name: "pvc-1-x" };
const longest: ComputeId = {
  type: "snapshots",
  subscription: "33333333-3333-4333-8333-333333333333",
  resourceGroup: "g".repeat(90),
  name: "n".repeat(80),
};
const sources = { origin, originRegion: "eastus", tags: {}, ownEncryptionSet: undefined, encryptionSet: undefined };

test("a copy names its origin by its id, in the official form", () => {
  const { tags } = copyTags(sources);

  assert.equal(tags["flotilla.io-copy-of"], printComputeId(origin));
  assert.equal(tags["flotilla.io-copy-from"], "eastus");
  assert.deepEqual(originOf(tags), origin);
});

test("an id that is longer than a tag takes is found again all the same", () => {
  const { tags } = copyTags({ ...sources, origin: longest });

  assert.ok(printComputeId(longest).length > 256);
  assert.ok((tags["flotilla.io-copy-of"] ?? "").length <= 256);
  assert.deepEqual(originOf(tags), longest);
});

for (const text of ["", "a/b", "a/b/c/d", "a/b/..", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/x"])
  test(`a tag that says "${text}" names no origin`, () => {
    assert.equal(originOf({ "flotilla.io-copy-of": text }), undefined);
  });

test("of 50 tags of the origin those go that no backup is found by, and they are told", () => {
  const many = Object.fromEntries(Array.from({ length: 49 }, (_, index) => [`tag-${index}`, "v"]));
  const { tags, dropped } = copyTags({ ...sources, tags: { "velero.io-backup": "b", ...many } });

  assert.equal(Object.keys(tags).length, 50);
  assert.equal(tags["velero.io-backup"], "b");
  assert.deepEqual(dropped, ["tag-47", "tag-48"]);
});

test("a disk encryption set of the origin is remembered, or replaced by the one of the target", () => {
  const tags = { "flotilla.io-disk-encryption-set": "own", "flotilla.io-encryption-type": "both" };

  const left = copyTags({ ...sources, tags }).tags;
  const moved = copyTags({ ...sources, tags, encryptionSet: "there" }).tags;
  const official = copyTags({ ...sources, ownEncryptionSet: "of the snapshot" }).tags;

  assert.equal(left["flotilla.io-disk-encryption-set"], undefined);
  assert.equal(left["flotilla.io-origin-disk-encryption-set"], "own");
  assert.deepEqual([moved["flotilla.io-disk-encryption-set"], moved["flotilla.io-encryption-type"]], ["there", "both"]);
  assert.equal(official["flotilla.io-origin-disk-encryption-set"], "of the snapshot");
});

test("the name of a copy is always the same, fits, and differs by origin and region", () => {
  const names = [
    copyName(origin, "westus2"),
    copyName({ ...origin, resourceGroup: "mc_HOME" }, "westus2"),
    copyName(origin, "westus3"),
    copyName({ ...origin, resourceGroup: "other" }, "westus2"),
    copyName(longest, "southafricanorth"),
    copyName({ ...longest, name: `${"n".repeat(45)}.-.-.-${"n".repeat(20)}` }, "southafricanorth"),
  ];

  assert.equal(names[0], names[1]);
  assert.equal(new Set(names).size, 5);
  for (const name of names) assert.match(name, /^[a-z0-9][\w.-]{0,78}\w$/i);
});
