import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { diskDescription, readTags, snapshotDescription } from "./persistent-disk-tags.ts";

const server = { "velero.io/backup": "nightly", "velero.io/pv": "pv-1" };

test("the description is the official plugin's JSON: the disk's tags under the server's, names sorted", () => {
  const disk = `{"kubernetes.io/created-for/pvc/name":"data","velero.io/backup":"former","app":"db"}`;

  assert.deepEqual(snapshotDescription({ server, marks: {}, disk }), {
    description:
      `{"app":"db","kubernetes.io/created-for/pvc/name":"data",` +
      `"velero.io/backup":"nightly","velero.io/pv":"pv-1"}`,
    dropped: [],
  });
});

test("our marks stand beside the tags, and those of a former snapshot are not taken over", () => {
  const marks = { "flotilla.io/iops": "5000" };
  const disk = `{"flotilla.io/iops":"3000","flotilla.io/throughput":"200"}`;

  const { description } = snapshotDescription({ server: {}, marks, disk });

  assert.equal(description, `{"flotilla.io/iops":"5000"}`);
});

for (const disk of ["", "made by hand", "null", "[]", "3", `{"a":1}`, `{"broken`])
  test(`a disk described as ${JSON.stringify(disk)} leaves the server's tags`, () => {
    const { description } = snapshotDescription({ server, marks: {}, disk });

    assert.deepEqual(readTags(description), server);
  });

test("without any tag there is no description", () => {
  assert.equal(snapshotDescription({ server: {}, marks: {}, disk: "" }).description, "");
});

test("no backup fails for tags: whatever has no room is left out, the snapshot's identity and our marks last", () => {
  const texts = fc.dictionary(fc.string({ maxLength: 60 }), fc.string({ unit: "grapheme", maxLength: 900 }));
  fc.assert(
    fc.property(texts, texts, (labels, inherited) => {
      const marks = { "flotilla.io/iops": "5000" };
      const sources = { server: { ...labels, ...server }, marks, disk: JSON.stringify(inherited) };

      const { description, dropped } = snapshotDescription(sources);

      const tags = readTags(description);
      assert.ok(Buffer.byteLength(description) <= 2048);
      assert.deepEqual([tags["velero.io/backup"], tags["velero.io/pv"]], ["nightly", "pv-1"]);
      assert.equal(tags["flotilla.io/iops"], "5000");
      for (const name of dropped) assert.ok(!Object.hasOwn(tags, name));
    }),
  );
});

test("a restored disk is described as its snapshot, without our marks", () => {
  assert.equal(diskDescription(`{"a":"b","flotilla.io/iops":"1"}`), `{"a":"b"}`);
  assert.equal(diskDescription(`{"flotilla.io/iops":"1"}`), "");
});

test("a description of the official plugin or of a person is copied as it is", () => {
  for (const text of ["", "made by hand", `{ "b" : "1", "a" : "2" }`, `{"n":1}`])
    assert.equal(diskDescription(text), text);
});
