import assert from "node:assert/strict";
import { test } from "node:test";

import * as fc from "fast-check";

import { copyTarget, snapshotCopy, snapshotOrigin } from "../testing/index.ts";
import { bestCopy, planTarget } from "./copy-plan.ts";

const target = copyTarget();

function originsOf(count: number, volumes = count) {
  return Array.from({ length: count }, (_, index) =>
    snapshotOrigin({
      snapshotId: `snap-${index}`,
      volumeId: `vol-${index % volumes}`,
      startedAt: new Date(index),
    }),
  );
}

function started(plan: ReturnType<typeof planTarget>): readonly string[] {
  return plan.start.map(({ snapshotId }) => snapshotId);
}

test("no more copies are started than the cloud lets run, those that run counted, whoever wants them", () => {
  const copies = [snapshotCopy({ copyId: "c", originId: "of another backup" })];

  const plan = planTarget({ target: copyTarget({ maxConcurrent: 3 }), origins: originsOf(5), copies });

  assert.deepEqual(started(plan), ["snap-0", "snap-1"]);
  assert.match(plan.statuses[4]?.detail ?? "", /takes no more/);
});

test("a bound of the caller's takes the place of the cloud's", () => {
  const input = { target: copyTarget({ maxConcurrent: 1 }), origins: originsOf(5), copies: [] };

  assert.equal(planTarget({ ...input, parallel: 4 }).start.length, 4);
});

test("copies of one volume are started one at a time, the oldest first, where the cloud demands it", () => {
  const origins = originsOf(4, 2).toReversed();

  const plan = planTarget({ target: copyTarget({ isSerialPerVolume: true }), origins, copies: [] });

  assert.deepEqual(started(plan), ["snap-0", "snap-1"]);
});

test("the next copy of a volume follows when the former one is complete, and not before", () => {
  const origins = originsOf(2, 1);
  const serial = copyTarget({ isSerialPerVolume: true });
  const former = snapshotCopy({ originId: "snap-0" });

  const during = planTarget({ target: serial, origins, copies: [former] });
  const after = planTarget({ target: serial, origins, copies: [{ ...former, state: "completed" }] });

  assert.deepEqual([started(during), started(after)], [[], ["snap-1"]]);
});

test("a snapshot that a later one of its volume has overtaken is never copied, and newer ones do not wait for it", () => {
  const origins = originsOf(3, 1);
  const copies = [snapshotCopy({ originId: "snap-1", state: "completed" })];

  const serial = planTarget({ target: copyTarget({ isSerialPerVolume: true }), origins, copies });
  const free = planTarget({ target: copyTarget({ isSerialPerVolume: false }), origins, copies });

  assert.deepEqual([started(serial), started(free)], [["snap-2"], ["snap-0", "snap-2"]]);
  assert.equal(serial.statuses[0]?.state, "failed");
  assert.match(serial.statuses[0]?.detail ?? "", /in the order of their creation/);
});

test("other snapshots of a volume count for those that are wanted, where the cloud copies them in order", () => {
  const [first, second, third] = originsOf(3, 1);
  assert.ok(first && second && third);
  const target = copyTarget({ isSerialPerVolume: true });
  const plan = (wanted: typeof first, neighbours: readonly (typeof first)[], state?: "pending" | "completed") =>
    planTarget({
      target,
      origins: [wanted],
      neighbours,
      copies: state === undefined ? [] : [snapshotCopy({ originId: second.snapshotId, state })],
    });

  const late = plan(first, [second], "completed");
  assert.deepEqual([started(late), late.statuses[0]?.state], [[], "failed"]);
  assert.match(late.statuses[0]?.detail ?? "", /in the order of their creation/);

  const busy = plan(third, [second], "pending");
  assert.deepEqual([started(busy), busy.statuses[0]?.state, busy.overtakes], [[], "waiting", []]);

  const early = plan(second, [first, third]);
  assert.deepEqual([started(early), early.overtakes], [["snap-1"], [first]]);
  assert.deepEqual(plan(third, [first, second], "completed").overtakes, []);
  assert.deepEqual(plan(second, [{ ...first, readiness: "failed" }]).overtakes, []);
});

test("a later copy of a volume is made although an earlier one was given up", () => {
  const copies = [snapshotCopy({ originId: "snap-0", state: "failed" })];
  const origins = originsOf(2, 1);

  const plan = planTarget({
    target: copyTarget({ isSerialPerVolume: true }),
    origins,
    copies,
    isGivenUp: (originId) => originId === "snap-0",
  });

  assert.deepEqual(started(plan), ["snap-1"]);
  assert.equal(plan.statuses[0]?.state, "failed");
});

for (const [readiness, state] of [
  ["unfinished", "waiting"],
  ["failed", "failed"],
] as const) {
  test(`a snapshot that is ${readiness} is not copied, and is ${state}`, () => {
    const plan = planTarget({ target, origins: [snapshotOrigin({ readiness })], copies: [] });

    assert.deepEqual([plan.start, plan.statuses[0]?.state], [[], state]);
  });
}

test("a failed copy is removed and made again, unless it was given up", () => {
  const copies = [snapshotCopy({ state: "failed", detail: "the key is denied" })];
  const input = { target, origins: [snapshotOrigin()], copies };

  const again = planTarget(input);
  const givenUp = planTarget({ ...input, isGivenUp: () => true });

  assert.deepEqual([again.remove.length, again.start.length], [1, 1]);
  assert.deepEqual([givenUp.remove.length, givenUp.start.length], [0, 0]);
  assert.match(givenUp.statuses[0]?.detail ?? "", /copy-1 failed: the key is denied/);
});

test("a failed copy beside a complete one is a remnant: it is removed, and nothing is made", () => {
  const copies = [snapshotCopy({ state: "failed" }), snapshotCopy({ copyId: "good", state: "completed" })];

  const plan = planTarget({ target, origins: [snapshotOrigin()], copies, isGivenUp: () => true });

  assert.deepEqual(
    [plan.remove.map(({ copyId }) => copyId), plan.start, plan.statuses[0]?.copyId],
    [["copy-1"], [], "good"],
  );
});

test("a complete copy counts before one on its way, the oldest of equals", () => {
  const copies = [
    snapshotCopy({ copyId: "failed", state: "failed" }),
    snapshotCopy({ copyId: "pending" }),
    snapshotCopy({ copyId: "younger", state: "completed", startedAt: new Date(2) }),
    snapshotCopy({ copyId: "older", state: "completed", startedAt: new Date(1) }),
  ];

  assert.equal(bestCopy(copies)?.copyId, "older");
});

test("whatever exists, what has a living copy is never started and the bounds hold", () => {
  const anyCopy = fc.record({
    origin: fc.nat(9),
    state: fc.constantFrom("pending" as const, "completed" as const, "failed" as const),
  });
  fc.assert(
    fc.property(
      fc.array(anyCopy, { maxLength: 20 }),
      fc.nat(5),
      fc.boolean(),
      (seeds, maxConcurrent, isSerialPerVolume) => {
        const copies = seeds.map(({ origin, state }, index) =>
          snapshotCopy({ copyId: `c${index}`, originId: `snap-${origin}`, state }),
        );
        const living = new Set(copies.filter(({ state }) => state !== "failed").map(({ originId }) => originId));
        const pending = copies.filter(({ state }) => state === "pending").length;
        const origins = originsOf(10, 3);

        const plan = planTarget({ target: copyTarget({ maxConcurrent, isSerialPerVolume }), origins, copies });

        assert.ok(plan.start.every(({ snapshotId }) => !living.has(snapshotId)));
        if (maxConcurrent > 0) assert.ok(plan.start.length <= Math.max(0, maxConcurrent - pending));
        if (isSerialPerVolume)
          assert.equal(new Set(plan.start.map(({ volumeId }) => volumeId)).size, plan.start.length);
        assert.equal(plan.statuses.length, origins.length);
      },
    ),
  );
});
