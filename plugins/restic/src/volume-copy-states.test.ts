import assert from "node:assert/strict";
import { test } from "node:test";

import type { ListedSnapshot } from "./snapshot-list.ts";
import { readArrivals, readOrigins } from "./volume-copy-states.ts";
import { leftovers } from "./volume-snapshots.ts";
import {
  printCompletionTags,
  printCopiedTags,
  printCopyingTags,
  printDeletionTags,
  printVolumeTags,
} from "./volume-tags.ts";

const hourMs = 60 * 60_000;
const now = Date.UTC(2026, 0, 10);
const fromId = "4c46cebd3e";

function listed(id: string, ageHours: number, tags: readonly string[]): ListedSnapshot {
  return { id, startedMs: now - ageHours * hourMs, tags, sizeBytes: undefined };
}

function files(snapshotId: string, ageHours: number): ListedSnapshot {
  const tags = printVolumeTags({ snapshotId, folder: "a", isMountPoint: false, tags: {} });
  return listed(`files-${snapshotId}`, ageHours, tags);
}

const begun = (snapshotId: string, ageHours: number): ListedSnapshot =>
  listed(`begun-${snapshotId}`, ageHours, printCopyingTags({ snapshotId, fromId }));
const copied = (snapshotId: string, ageHours: number): ListedSnapshot =>
  listed(`copied-${snapshotId}`, ageHours, printCopiedTags({ snapshotId, fromId, bytes: 7n }));
const made = (snapshotId: string, ageHours: number): ListedSnapshot =>
  listed(`made-${snapshotId}`, ageHours, printCompletionTags({ snapshotId, bytes: 7n }));

function arrivals(...snapshots: readonly ListedSnapshot[]) {
  return readArrivals({ snapshots, isWhole: true });
}

test("a mark of a beginning or of an end is no copy while the files are not there", () => {
  assert.deepEqual(arrivals(begun("s", 1), copied("s", 1)), []);
});

test("a copy is complete by its mark, and as old as its copying, not as its origin", () => {
  const incomplete = { snapshotId: "s", isComplete: false, fromId, startedMs: now - hourMs };
  assert.deepEqual(arrivals(files("s", 100), begun("s", 1)), [incomplete]);
  assert.deepEqual(arrivals(files("s", 100), begun("s", 1), copied("s", 0)), [{ ...incomplete, isComplete: true }]);
  assert.deepEqual(arrivals(files("s", 100), copied("s", 1)), [{ ...incomplete, isComplete: true }]);
});

test("what was copied by hand or made there names no repository that it is from", () => {
  const [whole] = arrivals(files("s", 100), made("s", 99));
  assert.deepEqual([whole?.isComplete, whole?.fromId], [true, undefined]);
  const [half] = arrivals(files("s", 100));
  assert.deepEqual([half?.isComplete, half?.fromId], [false, undefined]);
});

test("what is marked as deleted is neither a copy nor an origin", () => {
  const deletion = listed("deletion", 0, printDeletionTags("s"));
  assert.deepEqual(arrivals(files("s", 1), copied("s", 1), deletion), []);
  assert.deepEqual(readOrigins({ snapshots: [files("s", 1), made("s", 1), deletion], isWhole: true }), []);
});

test("an origin is complete, and a copy from elsewhere is told from what was made here", () => {
  const snapshots = [files("made", 1), made("made", 1), files("copied", 1), copied("copied", 1), files("half", 1)];
  assert.deepEqual(
    readOrigins({ snapshots, isWhole: true }).map(({ volume, isCopy }) => [volume.snapshotId, isCopy]),
    [
      ["made", false],
      ["copied", true],
    ],
  );
});

test("the old files of a copy that is under way are not left over, nor its mark", () => {
  assert.deepEqual(leftovers([files("s", 1000), begun("s", 40)], now), []);
  assert.deepEqual(leftovers([begun("s", 40)], now), []);
});

test("what a dead copy left is left over after two days, and the mark of a beginning once the copy is complete", () => {
  assert.deepEqual(leftovers([files("s", 1000), begun("s", 49)], now), ["files-s", "begun-s"]);
  assert.deepEqual(leftovers([files("s", 1000), begun("s", 1), copied("s", 0)], now), ["begun-s"]);
  assert.deepEqual(leftovers([begun("s", 1), copied("s", 0)], now), []);
});
