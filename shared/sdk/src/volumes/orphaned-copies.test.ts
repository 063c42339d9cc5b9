import assert from "node:assert/strict";
import { test } from "node:test";

import { PluginError, silentLogger } from "../plugin/index.ts";
import { copyTarget, MemorySnapshotCopier, snapshotCopy, snapshotOrigin } from "../testing/index.ts";
import { findOrphanedCopies } from "./orphaned-copies.ts";

const call = { signal: new AbortController().signal, log: silentLogger };
const targets = [copyTarget()];

for (const operation of ["listOrigins", "listCopies"] as const) {
  test(`nothing is an orphan where ${operation} fails`, async () => {
    const copier = new MemorySnapshotCopier({
      origins: () => [],
      targets,
      before: (request) => {
        if (request.operation === operation) throw new PluginError("no route", { kind: "unavailable" });
      },
    });
    copier.copies.set("c", snapshotCopy());

    await assert.rejects(findOrphanedCopies(copier, call), { kind: "unavailable" });
  });
}

test("a copy is no orphan when its origin is missing in the list but found by its id", async () => {
  let lists = 0;
  const copier = new MemorySnapshotCopier({
    origins: () => {
      lists += 1;
      return lists === 1 ? [] : [snapshotOrigin()];
    },
    targets,
  });
  copier.copies.set("c", snapshotCopy());

  assert.deepEqual((await findOrphanedCopies(copier, call)).orphans, []);
});

test("copies of a deleted snapshot are found in every target, finished or not", async () => {
  const copier = new MemorySnapshotCopier({
    origins: () => [snapshotOrigin({ snapshotId: "alive" })],
    targets: [copyTarget(), copyTarget({ region: "elsewhere" })],
  });
  copier.copies.set("a", snapshotCopy({ copyId: "a", originId: "gone", state: "completed" }));
  copier.copies.set("b", snapshotCopy({ copyId: "b", originId: "gone", region: "elsewhere" }));
  copier.copies.set("c", snapshotCopy({ copyId: "c", originId: "alive" }));

  const { orphans } = await findOrphanedCopies(copier, call);

  assert.deepEqual(
    orphans.map(({ copy, reason }) => `${copy.copyId} ${reason}`),
    ["a origin-gone", "b origin-gone"],
  );
});

test("of two copies in one target the better one stays", async () => {
  const copier = new MemorySnapshotCopier({ origins: () => [snapshotOrigin()], targets });
  copier.copies.set("pending", snapshotCopy({ copyId: "pending" }));
  copier.copies.set("good", snapshotCopy({ copyId: "good", state: "completed", startedAt: new Date(9) }));

  const { orphans } = await findOrphanedCopies(copier, call);

  assert.deepEqual(
    orphans.map(({ copy, reason }) => `${copy.copyId} ${reason}`),
    ["pending duplicate"],
  );
});

test("a copy that does not say what it is a copy of is left alone", async () => {
  const copier = new MemorySnapshotCopier({ origins: () => [snapshotOrigin()], targets });
  copier.copies.set("nameless", snapshotCopy({ copyId: "nameless", originId: "" }));

  assert.deepEqual((await findOrphanedCopies(copier, call)).orphans, []);
});

test("how much of what was copied is gone is counted by snapshots, not by copies", async () => {
  const copier = new MemorySnapshotCopier({
    origins: () => [snapshotOrigin({ snapshotId: "alive" })],
    targets: [copyTarget(), copyTarget({ region: "elsewhere" })],
  });
  copier.copies.set("a", snapshotCopy({ copyId: "a", originId: "gone" }));
  copier.copies.set("b", snapshotCopy({ copyId: "b", originId: "gone", region: "elsewhere" }));
  copier.copies.set("c", snapshotCopy({ copyId: "c", originId: "alive" }));

  const { copiedSnapshots, goneSnapshots } = await findOrphanedCopies(copier, call);

  assert.deepEqual([copiedSnapshots, goneSnapshots], [2, 1]);
});
