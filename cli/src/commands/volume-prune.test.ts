import assert from "node:assert/strict";
import { test } from "node:test";

import { copyTarget, MemorySnapshotCopier, snapshotCopy, snapshotOrigin } from "@flotilla/sdk/testing";

import { idleSession } from "../testing/idle-session.ts";
import { reportPruned } from "./volume-copy-report.ts";
import { pruneCopies } from "./volume-prune.ts";

test("an interrupted deletion tells what is deleted, what may be, and what is not", async () => {
  const interruption = new AbortController();
  const origins = ["w", "x", "y", "z"].map((snapshotId) => snapshotOrigin({ snapshotId }));
  const copier = new MemorySnapshotCopier({
    origins: () => origins,
    targets: [copyTarget()],
    before: ({ operation, id }) => {
      if (operation !== "deleteCopy" || id !== "b") return;
      interruption.abort();
      interruption.signal.throwIfAborted();
    },
  });
  for (const { snapshotId: originId } of origins)
    copier.copies.set(originId, snapshotCopy({ copyId: originId, originId }));
  for (const copyId of ["a", "b", "c"]) copier.copies.set(copyId, snapshotCopy({ copyId, originId: `gone-${copyId}` }));

  const volumes = { client: { copies: copier }, location: { name: "default" } };
  const request = { isDeleting: true, evenMost: false };
  const pruned = await pruneCopies(idleSession(interruption.signal), volumes, request);

  assert.deepEqual(
    pruned.copies.map(({ orphan, outcome, detail }) => `${orphan.copy.copyId} ${outcome} ${detail}`),
    ["a deleted ", "b failed interrupted: it may be deleted all the same", "c kept interrupted"],
  );
  assert.equal(reportPruned(pruned, true).isFailure, true);
  assert.ok(!copier.copies.has("a") && copier.copies.has("c"));
});

test("where most of what was copied is gone, nothing is deleted before somebody says so", async () => {
  const copier = new MemorySnapshotCopier({ origins: () => [], targets: [copyTarget()] });
  copier.copies.set("a", snapshotCopy({ copyId: "a", originId: "gone" }));
  const session = idleSession();
  const volumes = { client: { copies: copier }, location: { name: "default" } };

  const refused = pruneCopies(session, volumes, { isDeleting: true, evenMost: false });

  await assert.rejects(refused, /nothing was deleted: 1 of the 1 snapshots that have copies are gone.*--even-most/);
  assert.ok(copier.copies.has("a"));
  await pruneCopies(session, volumes, { isDeleting: true, evenMost: true });
  assert.equal(copier.copies.size, 0);
});
