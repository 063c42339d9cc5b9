import assert from "node:assert/strict";
import { test } from "node:test";

import { PluginError } from "@flotilla/sdk/plugin";
import { copyTarget, MemorySnapshotCopier, snapshotOrigin } from "@flotilla/sdk/testing";

import { idleSession } from "../testing/idle-session.ts";
import { copySnapshots } from "./volume-copy.ts";
import { reportCopies } from "./volume-copy-report.ts";

const all = {
  snapshotIds: [],
  backup: undefined,
  isWatching: true,
  intervalMs: 1,
  timeoutMs: undefined,
  parallel: undefined,
};

/** Two snapshots, of which the whole list leaves one out from the second time on. */
function forgetful({ isDeleted }: { readonly isDeleted: boolean }): MemorySnapshotCopier {
  const both = [snapshotOrigin({ snapshotId: "a" }), snapshotOrigin({ snapshotId: "b" })];
  let lists = 0;
  const copier: MemorySnapshotCopier = new MemorySnapshotCopier({
    targets: [copyTarget()],
    origins: () => (lists > 1 ? both.slice(0, 1) : both),
    before: ({ operation, id }) => {
      if (operation === "listOrigins" && id !== "b") lists += 1;
      // Asked for by its id.
      else if (operation === "listOrigins" && !isDeleted) lists = 0;
      if (operation === "listCopies" && copier.copies.size === 2) copier.settle();
    },
  });
  return copier;
}

test("a snapshot that a list leaves out is not taken for deleted where it is found by its id", async () => {
  const client = { copies: forgetful({ isDeleted: false }) };

  const result = await copySnapshots(idleSession(), { client, location: { name: "default" } }, all);

  assert.deepEqual([result.deleted, result.missing, result.statuses.length], [[], [], 2]);
  assert.equal(reportCopies(result).isFailure, false);
});

test("one that is deleted while copies are made is told; one that was named is missing", async () => {
  for (const [snapshotIds, expected] of [
    [[], { deleted: ["b"], missing: [], isFailure: false }],
    [["a", "b"], { deleted: [], missing: ["b"], isFailure: true }],
  ] as const) {
    const client = { copies: forgetful({ isDeleted: true }) };

    const result = await copySnapshots(
      idleSession(),
      { client, location: { name: "default" } },
      { ...all, snapshotIds },
    );

    const { deleted, missing } = result;
    assert.deepEqual({ deleted, missing, isFailure: reportCopies(result).isFailure }, expected);
  }
});

const serial = copyTarget({ isSerialPerVolume: true });
const [early, late] = [1, 2].map((day) =>
  snapshotOrigin({ snapshotId: `day-${day}`, backup: `nightly-${day}`, startedAt: new Date(day) }),
);

test("a snapshot that a later one has overtaken, of another backup too, is not waited for", async () => {
  assert.ok(early && late);
  const copies = new MemorySnapshotCopier({ targets: [serial], origins: () => [early, late] });
  await copies.startCopy({ originId: late.snapshotId, region: serial.region });
  copies.settle();
  const request = { ...all, backup: early.backup };

  const result = await copySnapshots(idleSession(), { client: { copies }, location: { name: "default" } }, request);

  assert.deepEqual(
    result.statuses.map(({ state }) => state),
    ["failed"],
  );
});

test("a target that does not answer is not watched for hours: the next run takes newer snapshots to the others", async () => {
  const [lost, good] = [copyTarget({ region: "lost" }), copyTarget({ region: "good" })];
  const copies: MemorySnapshotCopier = new MemorySnapshotCopier({
    targets: [lost, good],
    origins: () => [snapshotOrigin()],
    before: ({ operation, region }) => {
      if (region === "lost") throw new PluginError("no route", { kind: "unavailable" });
      if (operation === "listCopies") copies.settle();
    },
  });
  const request = { ...all, silenceMs: 20 };

  const result = await copySnapshots(idleSession(), { client: { copies }, location: { name: "default" } }, request);

  assert.deepEqual(
    result.statuses.map(({ region, state }) => [region, state]),
    [
      ["lost", "waiting"],
      ["good", "completed"],
    ],
  );
  assert.equal(reportCopies(result).isFailure, true);
});
