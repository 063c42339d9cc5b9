import assert from "node:assert/strict";
import { test } from "node:test";

import { PluginError, silentLogger } from "../plugin/index.ts";
import type { PluginErrorKind, SnapshotOrigin } from "../plugin/index.ts";
import { copyTarget, MemorySnapshotCopier, snapshotCopy, snapshotOrigin, TestClock } from "../testing/index.ts";
import type { CopierRequest } from "../testing/index.ts";
import { CopyRounds } from "./copy-rounds.ts";

const call = { signal: new AbortController().signal, log: silentLogger };
const target = copyTarget();

function many(count: number): readonly SnapshotOrigin[] {
  return Array.from({ length: count }, (_, index) => snapshotOrigin({ snapshotId: `snap-${index}` }));
}

function copierOf(origins: readonly SnapshotOrigin[], before?: (request: CopierRequest) => void): MemorySnapshotCopier {
  return new MemorySnapshotCopier({ origins: () => origins, targets: [target], ...(before && { before }) });
}

function failing(kind: PluginErrorKind, operation: CopierRequest["operation"], times = Infinity) {
  let left = times;
  return (request: CopierRequest): void => {
    if (request.operation !== operation || left <= 0) return;
    left -= 1;
    throw new PluginError(`${operation} is ${kind}`, { kind });
  };
}

function starts({ requests }: MemorySnapshotCopier): number {
  return requests.filter(({ operation }) => operation === "startCopy").length;
}

test("a cloud without room is asked once a round, and what was not started waits", async () => {
  const origins = many(5);
  const copier = copierOf(origins, failing("unavailable", "startCopy", 1));
  const rounds = new CopyRounds(copier);

  const first = await rounds.run([target], origins, call);
  const asked = starts(copier);
  const second = await rounds.run([target], origins, call);

  assert.equal(asked, 1);
  assert.ok(first.every(({ state, detail }) => state === "waiting" && /unavailable/.test(detail)));
  assert.ok(second.every(({ state }) => state === "pending"));
});

for (const kind of ["denied", "invalid-config"] as const) {
  test(`a target that answers ${kind} is not asked again and again, and fails all that is left`, async () => {
    const origins = many(5);
    const copier = copierOf(origins, failing(kind, "startCopy"));

    const statuses = await new CopyRounds(copier).run([target], origins, call);

    assert.equal(starts(copier), 1);
    assert.ok(statuses.every(({ state }) => state === "failed"));
  });
}

test("a copy that was begun and is not listed yet is not begun again, and one that stays away is", async () => {
  const clock = new TestClock();
  const origins = [...many(2)];
  const copier = copierOf(origins);
  const rounds = new CopyRounds(copier, { clock });
  await rounds.run([target], origins, call);
  const made = [...copier.copies];
  copier.copies.clear();

  const second = await rounds.run([target], origins, call);

  assert.equal(starts(copier), 2);
  assert.deepEqual(
    second.map(({ state, copyId }) => `${copyId} ${state}`),
    made.map(([copyId]) => `${copyId} pending`),
  );
  await clock.advance(60_000);
  await rounds.run([target], origins, call);
  assert.equal(starts(copier), 4);
});

test("a snapshot that vanished does not keep the others", async () => {
  const origins = many(3);
  const copier = new MemorySnapshotCopier({ origins: () => origins.slice(1), targets: [target] });

  const statuses = await new CopyRounds(copier).run([target], origins, call);

  assert.deepEqual(
    statuses.map(({ state }) => state),
    ["failed", "pending", "pending"],
  );
});

test("a target that cannot be reached leaves its copies waiting, and the other target is served", async () => {
  const [lost, good] = [copyTarget({ region: "lost" }), copyTarget({ region: "good" })];
  const origins = many(2);
  const copier = copierOf(origins, ({ region }) => {
    if (region === "lost") throw new PluginError("no route", { kind: "unavailable" });
  });

  const statuses = await new CopyRounds(copier).run([lost, good], origins, call);

  assert.deepEqual(
    statuses.map(({ region, state }) => `${region} ${state}`),
    ["lost waiting", "lost waiting", "good pending", "good pending"],
  );
});

test("a copy that fails is made again twice, then it stands as failed with the cloud's words", async () => {
  const origins = many(1);
  const copier = copierOf(origins);
  const rounds = new CopyRounds(copier);
  let statuses = await rounds.run([target], origins, call);
  for (let round = 0; round < 5; round += 1) {
    copier.settle(() => "failed");
    statuses = await rounds.run([target], origins, call);
  }

  assert.equal(starts(copier), 3);
  assert.equal(statuses[0]?.state, "failed");
  assert.equal(copier.copies.size, 1);
});

test("a failed copy that cannot be removed is not made a second time beside it", async () => {
  const origins = many(1);
  const copier = copierOf(origins, failing("unavailable", "deleteCopy"));
  copier.copies.set("old", snapshotCopy({ copyId: "old", originId: "snap-0", state: "failed" }));

  const statuses = await new CopyRounds(copier).run([target], origins, call);

  assert.deepEqual([starts(copier), copier.copies.size, statuses[0]?.state], [0, 1, "waiting"]);
});

test("a copier that is killed after any request and run again makes no copy twice", async () => {
  const origins = many(3);
  for (let fatal = 1; fatal <= 5; fatal += 1) {
    let seen = 0;
    const copier = copierOf(origins, () => {
      seen += 1;
      if (seen === fatal) controller.abort();
    });
    const controller = new AbortController();
    const dying = { ...call, signal: controller.signal };
    await new CopyRounds(copier).run([target], origins, dying).catch(() => undefined);
    seen = fatal;

    await new CopyRounds(copier).run([target], origins, call);
    copier.settle();
    const statuses = await new CopyRounds(copier).run([target], origins, call);

    assert.equal(copier.copies.size, 3, `killed at request ${fatal}`);
    assert.ok(statuses.every(({ state }) => state === "completed"));
  }
});

test("a copy that needs a next step is tended, once", async () => {
  const origins = many(1);
  const copier = copierOf(origins);
  copier.copies.set("c", snapshotCopy({ copyId: "c", originId: "snap-0", needsTending: true }));
  const rounds = new CopyRounds(copier);

  await rounds.run([target], origins, call);
  await rounds.run([target], origins, call);

  assert.equal(copier.requests.filter(({ operation }) => operation === "tendCopy").length, 1);
});

test("one snapshot's copies are asked for by its id", async () => {
  const origins = many(1);
  const copier = copierOf(origins);

  await new CopyRounds(copier).run([target], origins, call);

  assert.deepEqual(copier.requests[0], { operation: "listCopies", region: "there", id: "snap-0" });
});

test("a complete copy counts as complete once it is tended, and not before", async () => {
  const origins = many(1);
  const copier = copierOf(origins, failing("unavailable", "tendCopy", 1));
  copier.copies.set("c", snapshotCopy({ copyId: "c", originId: "snap-0", state: "completed", needsTending: true }));
  const rounds = new CopyRounds(copier);

  const states = [];
  for (let round = 0; round < 3; round += 1) states.push((await rounds.run([target], origins, call))[0]?.state);

  assert.deepEqual(states, ["waiting", "pending", "completed"]);
});

test("a failed remnant that cannot be removed leaves a complete copy complete", async () => {
  const origins = many(1);
  const copier = copierOf(origins, failing("denied", "deleteCopy"));
  copier.copies.set("good", snapshotCopy({ copyId: "good", originId: "snap-0", state: "completed" }));
  copier.copies.set("bad", snapshotCopy({ copyId: "bad", originId: "snap-0", state: "failed" }));

  const statuses = await new CopyRounds(copier).run([target], origins, call);

  assert.equal(statuses[0]?.state, "completed");
});
