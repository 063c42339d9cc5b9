import assert from "node:assert/strict";
import { test } from "node:test";
import {
  copyDescription,
  copyName,
  copyNames,
  readCopyMarks,
  temporaryDescription,
} from "./persistent-disk-copy-tags.ts";

const marks = { copyOf: "data-1", project: "cluster", from: "us-central1", to: "europe-west1" };

test("the marks survive a description that has no room for everything", () => {
  const tags = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`tag-${index}`, "x".repeat(40)]));

  const { description, dropped } = copyDescription(JSON.stringify(tags), marks, undefined);

  assert.ok(dropped.length > 0 && Buffer.byteLength(description) <= 2048);
  assert.deepEqual(readCopyMarks(description), marks);
});

test("a description for people is none of a copy", () => {
  assert.equal(readCopyMarks("the old data disk"), undefined);
  assert.equal(readCopyMarks('{"velero.io/backup":"b"}'), undefined);
});

test("the key of the target takes the place of the disk's in what a restore reads", () => {
  const origin = '{"flotilla.io/kms-key":"own","flotilla.io/iops":"5000","velero.io/backup":"b"}';

  const keyed: unknown = JSON.parse(copyDescription(origin, marks, "other").description);

  assert.deepEqual(keyed, {
    "flotilla.io/copy-from": "us-central1",
    "flotilla.io/copy-from-project": "cluster",
    "flotilla.io/copy-of": "data-1",
    "flotilla.io/copy-to": "europe-west1",
    "flotilla.io/iops": "5000",
    "flotilla.io/kms-key": "other",
    "velero.io/backup": "b",
  });
});

test("a copy has one name for each origin, target and project", () => {
  const names = [
    copyName(marks, "cluster"),
    copyName(marks, "vault"),
    copyName({ ...marks, to: "eu" }, "cluster"),
    copyName({ ...marks, project: "other" }, "cluster"),
  ];

  assert.equal(new Set(names).size, names.length);
  assert.equal(copyName({ ...marks }, "cluster"), names[0]);
  assert.ok(names.every((name) => new RegExp(`^${copyNames}$`).test(name)));
  assert.deepEqual(readCopyMarks(temporaryDescription(marks)), marks);
});
