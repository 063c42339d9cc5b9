import assert from "node:assert/strict";
import { test } from "node:test";
import { leftovers, newSnapshotId } from "./volume-snapshots.ts";
import { printCompletionTags, printDeletionTags, printVolumeTags } from "./volume-tags.ts";
import { veleroSnapshots } from "./velero-repository.ts";

const hourMs = 60 * 60_000;
const now = Date.UTC(2026, 0, 10);

function files(snapshotId: string, ageHours: number) {
  const tags = printVolumeTags({ snapshotId, folder: "a", isMountPoint: false, tags: {} });
  return { id: `files-${snapshotId}`, startedMs: now - ageHours * hourMs, tags, sizeBytes: undefined };
}

test("only old files of volumes without a mark are left over; objects and snapshots of others are not looked at", () => {
  const mark = {
    id: "mark",
    startedMs: now - 100 * hourMs,
    tags: printCompletionTags({ snapshotId: "whole", bytes: 1n }),
    sizeBytes: undefined,
  };
  const object = {
    id: "object",
    startedMs: 0,
    tags: ["flotilla.io/data=u", "flotilla.io/bucket=b"],
    sizeBytes: undefined,
  };
  const others = { id: "others", startedMs: 0, tags: ["backup=b", "ns=n"], sizeBytes: undefined };

  const found = leftovers([files("whole", 100), mark, files("dead", 100), files("young", 40), object, others], now);

  assert.deepEqual(found, ["files-dead"]);
});

test("what was marked as deleted is left over at once, its mark only when all else of it is gone", () => {
  const whole = {
    id: "mark",
    startedMs: now,
    tags: printCompletionTags({ snapshotId: "s", bytes: 1n }),
    sizeBytes: undefined,
  };
  const deletion = { id: "deletion", startedMs: now, tags: printDeletionTags("s"), sizeBytes: undefined };

  assert.deepEqual(leftovers([files("s", 1), whole, deletion], now), ["files-s", "mark"]);
  assert.deepEqual(leftovers([whole, deletion], now), ["mark"]);
  assert.deepEqual(leftovers([deletion], now), ["deletion"]);
  assert.deepEqual(leftovers([files("s", 1), whole], now), []);
});

test("ids of snapshots tell the time, and no two are alike", () => {
  const id = newSnapshotId(new Date("2026-11-27T03:56:19.123Z"));

  assert.match(id, /^volume-20261127t035619z-[0-9a-f]{12}$/);
  assert.notEqual(id, newSnapshotId(new Date("2026-11-27T03:56:19.123Z")));
});

test("Velero's snapshots are found by any of its names, newest first, and those of others never", () => {
  const tagsOf = (backup: string, pod: string): string[] => [
    `backup=${backup}`,
    `pod=${pod}`,
    "ns=shop",
    "volume=data",
  ];
  const all = [
    { id: "1", startedMs: 1, tags: tagsOf("mon", "db-0"), sizeBytes: undefined },
    { id: "2", startedMs: 2, tags: [...tagsOf("tue", "db-0"), "pvc-uid=u"], sizeBytes: undefined },
    { id: "3", startedMs: 3, tags: tagsOf("tue", "db-1"), sizeBytes: undefined },
    { id: "4", startedMs: 4, tags: ["backup=tue", "ns=shop"], sizeBytes: undefined },
  ];
  const any = { backup: "", namespace: "", pod: "", volume: "" };
  const idsOf = (selection: Partial<typeof any>): readonly string[] =>
    veleroSnapshots(all, { ...any, ...selection }).map(({ snapshotId }) => snapshotId);

  assert.deepEqual(idsOf({}), ["3", "2", "1"]);
  assert.deepEqual(idsOf({ backup: "tue", pod: "db-0" }), ["2"]);
  assert.deepEqual(idsOf({ namespace: "shop", pod: "db-0" }), ["2", "1"]);
  assert.deepEqual(idsOf({ namespace: "other" }), []);
  assert.equal(veleroSnapshots(all, any)[1]?.pvcUid, "u");
});
