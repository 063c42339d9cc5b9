import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";
import { readError, readStatus, readSummary } from "./volume-messages.ts";

function message(text: string): JsonObject {
  const value = parseJson(text);
  assert.ok(isJsonObject(value));
  return value;
}

// As restic 0.14 and 0.18 write them.
const errors: readonly (readonly [title: string, text: string, reason: string, isGone: boolean])[] = [
  ["0.14, a denied file", '{"error":{"Op":"open","Path":"a","Err":13},"item":"/a"}', "permission denied", false],
  [
    "0.14, a deleted file",
    '{"error":{"Op":"lstat","Path":"a","Err":2},"item":"/a"}',
    "no such file or directory",
    true,
  ],
  ["0.14, a folder", '{"error":{},"during":"archival","item":"/a"}', "it could not be read", false],
  ["0.14, an NFS server that restarted", '{"error":{"Err":116},"item":"/a"}', "stale file handle", false],
  [
    "0.18, a denied file",
    '{"error":{"message":"open a: permission denied"},"item":"/a"}',
    "open a: permission denied",
    false,
  ],
  [
    "0.18, a deleted file",
    '{"error":{"message":"lstat a: no such file or directory"},"item":"/a"}',
    "lstat a: no such file or directory",
    true,
  ],
];

for (const [title, text, reason, isGone] of errors)
  test(`an error of restic says which file and why: ${title}`, () => {
    assert.deepEqual(readError(message(text.replace("{", '{"message_type":"error",'))), { item: "/a", reason, isGone });
  });

test("the count that goes before the reading reports an error a second time, which is passed over", () => {
  const text = '{"message_type":"error","error":{"message":"x"},"during":"scan","item":"/a"}';

  assert.equal(readError(message(text)), undefined);
});

test("the status of a backup and of a restore is read, and numbers beyond a double with it", () => {
  const backup =
    '{"message_type":"status","files_done":1,"total_files":2,"bytes_done":3,"total_bytes":9007199254740993}';
  const restore = '{"message_type":"status","files_restored":1,"total_files":2,"bytes_restored":3,"total_bytes":4}';

  assert.deepEqual(readStatus(message(backup)), {
    files: 1n,
    totalFiles: 2n,
    bytes: 3n,
    totalBytes: 9007199254740993n,
  });
  assert.deepEqual(readStatus(message(restore)), { files: 1n, totalFiles: 2n, bytes: 3n, totalBytes: 4n });
  assert.equal(readStatus(message('{"message_type":"summary","snapshot_id":"4f2a"}')), undefined);
});

test("the summary of a backup names its snapshot; a message without one is none", () => {
  const text = '{"message_type":"summary","snapshot_id":"4f2a","total_files_processed":2,"total_bytes_processed":5}';

  assert.deepEqual(readSummary(message(text)), { snapshotId: "4f2a", files: 2n, bytes: 5n, addedBytes: 0n });
  assert.equal(readSummary(message('{"message_type":"summary"}')), undefined);
});
