import assert from "node:assert/strict";
import { test } from "node:test";

import { isKind, PluginError, silentLogger } from "../plugin/index.ts";
import type { Logger } from "../plugin/index.ts";
import {
  copyTarget,
  MemorySnapshotCopier,
  MemoryVolumeSnapshotter,
  snapshotCopy,
  snapshotOrigin,
  TestClock,
} from "../testing/index.ts";
import type { CopierRequest } from "../testing/index.ts";
import { withSnapshotCopies } from "./snapshot-copies.ts";
import type { SnapshotCopiesOptions } from "./snapshot-copies.ts";

const call = { signal: new AbortController().signal, log: silentLogger };
const request = { volumeId: "here-vol-1", volumeAz: "here-a", tags: {} };
const both = [copyTarget({ region: "one" }), copyTarget({ region: "two" })];

function rig(options: Partial<SnapshotCopiesOptions> & { readonly targets?: typeof both } = {}) {
  const inner = new MemoryVolumeSnapshotter("here", 1);
  const hooks: { before: (request: CopierRequest) => void } = { before: () => {} };
  const copier = new MemorySnapshotCopier({
    targets: options.targets ?? both,
    origins: () => inner.snapshotIds.map((snapshotId) => snapshotOrigin({ snapshotId })),
    before: (request) => hooks.before(request),
  });
  const snapshotter = withSnapshotCopies(inner, copier, {
    isWaiting: true,
    waitTimeoutMs: 60_000,
    copiesUnfinished: false,
    clock: new TestClock({ skipsSleep: true }),
    random: () => 0.5,
    ...options,
  });
  return { inner, copier, snapshotter, hooks };
}

function operations(copier: MemorySnapshotCopier): readonly string[] {
  return copier.requests.map(({ operation }) => operation);
}

test("without targets nothing is asked beyond the snapshot itself", async () => {
  const { snapshotter, copier } = rig({ targets: [] });

  await snapshotter.deleteSnapshot(await snapshotter.createSnapshot(request, call), call);

  assert.deepEqual(copier.requests, []);
});

test("a waiting location answers once the copies in every target are complete", async () => {
  const { snapshotter, copier, hooks } = rig();
  hooks.before = ({ operation }) => {
    if (operation === "listOrigins") copier.settle();
  };

  const snapshotId = await snapshotter.createSnapshot(request, call);

  const copies = [...copier.copies.values()];
  assert.deepEqual(
    copies.map(({ region, originId, state }) => `${region} ${originId === snapshotId} ${state}`),
    ["one true completed", "two true completed"],
  );
});

for (const [title, prepare, kind] of [
  ["fails again and again", (copier: MemorySnapshotCopier) => copier.settle(() => "failed"), "incomplete"],
  ["does not end in time", () => {}, "timeout"],
] as const) {
  test(`a copy that ${title} fails the snapshot and leaves neither it nor a copy`, async () => {
    const { snapshotter, copier, inner, hooks } = rig();
    hooks.before = ({ operation }) => {
      if (operation === "listOrigins") prepare(copier);
    };

    await assert.rejects(snapshotter.createSnapshot(request, call), { kind });

    assert.deepEqual([inner.snapshotIds, copier.copies.size], [[], 0]);
  });
}

test("a target that cannot be reached fails the snapshot long before its time, leaves nothing, and says what to do", async () => {
  const clock = new TestClock({ skipsSleep: true });
  const { snapshotter, copier, inner, hooks } = rig({ clock, waitTimeoutMs: 14_400_000 });
  hooks.before = ({ region, operation }) => {
    if (region === "two") throw new PluginError("no route", { kind: "unavailable" });
    if (operation === "listOrigins") copier.settle();
  };

  await assert.rejects(snapshotter.createSnapshot(request, call), (error) => {
    assert.ok(isKind(error, "incomplete"));
    assert.match(error.message, /to two: it does not answer \(no route\).*deleted again.*take it out.*key wait/);
    return true;
  });

  assert.ok(clock.now() <= 90_000, `took ${clock.now()} ms`);
  assert.deepEqual([inner.snapshotIds, copier.copies.size], [[], 0]);
});

test("the next volumes do not wait for a target that is known to be lost, and nothing is made for them", async () => {
  const clock = new TestClock({ skipsSleep: true });
  const { snapshotter, copier, inner, hooks } = rig({ clock });
  const outage = ({ region, operation }: CopierRequest): void => {
    if (region === "two") throw new PluginError("no route", { kind: "unavailable" });
    if (operation === "listOrigins") copier.settle();
  };
  hooks.before = outage;
  await assert.rejects(snapshotter.createSnapshot(request, call), { kind: "incomplete" });
  const [asked, atMs] = [copier.requests.length, clock.now()];

  await assert.rejects(snapshotter.createSnapshot(request, call), { kind: "incomplete" });
  assert.deepEqual([copier.requests.length, clock.now()], [asked, atMs]);

  await clock.advance(30_000);
  await assert.rejects(snapshotter.createSnapshot(request, call), { kind: "incomplete" });
  assert.equal(clock.now(), atMs + 30_000);
  assert.deepEqual([inner.snapshotIds, copier.copies.size], [[], 0]);

  hooks.before = ({ operation }) => {
    if (operation === "listOrigins") copier.settle();
  };
  await clock.advance(30_000);
  await snapshotter.createSnapshot(request, call);
  assert.equal(copier.copies.size, 2);
});

test("a target that answered before is outlasted for minutes", async () => {
  const clock = new TestClock({ skipsSleep: true });
  const { snapshotter, copier, hooks } = rig({ clock, waitTimeoutMs: 3_600_000 });
  hooks.before = ({ region, operation }) => {
    const minutes = clock.now() / 60_000;
    if (region === "two" && minutes > 1 && minutes < 4) throw new PluginError("no route", { kind: "unavailable" });
    if (operation === "listOrigins" && minutes > 5) copier.settle();
  };

  await snapshotter.createSnapshot(request, call);

  assert.equal([...copier.copies.values()].filter(({ state }) => state === "completed").length, 2);
});

test("without wait one line says what makes the copies, and only once", async () => {
  const lines: string[] = [];
  const log: Logger = { ...silentLogger, info: (line) => void lines.push(line) };
  const { snapshotter, copier } = rig({ isWaiting: false });

  await snapshotter.createSnapshot(request, { ...call, log });
  await snapshotter.createSnapshot(request, { ...call, log });

  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /flotilla volume copy --all --watch/);
  assert.deepEqual(copier.requests, []);
});

test("a cloud that copies unfinished snapshots is asked to start at once, and a refusal does not fail the backup", async () => {
  const { snapshotter, copier, hooks } = rig({ isWaiting: false, copiesUnfinished: true });
  await snapshotter.createSnapshot(request, call);
  assert.equal(copier.copies.size, 2);

  hooks.before = () => {
    throw new PluginError("no", { kind: "denied" });
  };

  await snapshotter.createSnapshot(request, call);
});

test("copies are deleted before their origin", async () => {
  const { snapshotter, copier, inner, hooks } = rig();
  const snapshotId = await inner.createSnapshot(request);
  copier.copies.set("c", snapshotCopy({ copyId: "c", originId: snapshotId, region: "two" }));
  let wasThere = false;
  hooks.before = ({ operation }) => {
    if (operation === "deleteCopy") wasThere = inner.snapshotIds.includes(snapshotId);
  };

  await snapshotter.deleteSnapshot(snapshotId, call);

  assert.deepEqual([wasThere, copier.copies.size, inner.snapshotIds], [true, 0, []]);
});

test("a home region that cannot be reached fails the deletion before a copy of its snapshot is deleted", async () => {
  const { snapshotter, copier, inner, hooks } = rig({ isWaiting: false });
  const snapshotId = await snapshotter.createSnapshot(request, call);
  await copier.startCopy({ originId: snapshotId, region: "one" });
  hooks.before = ({ region }) => {
    if (region === "here") throw new PluginError("no route", { kind: "unavailable" });
  };

  await assert.rejects(snapshotter.deleteSnapshot(snapshotId, call), { kind: "unavailable" });

  assert.deepEqual([copier.copies.size, inner.snapshotIds.length], [1, 1]);
});

test("a target that cannot be reached fails the deletion and nothing is deleted anywhere", async () => {
  const { snapshotter, copier, inner, hooks } = rig();
  const snapshotId = await inner.createSnapshot(request);
  copier.copies.set("c", snapshotCopy({ copyId: "c", originId: snapshotId, region: "one" }));
  hooks.before = ({ region }) => {
    if (region === "two") throw new PluginError("no route", { kind: "unavailable" });
  };

  await assert.rejects(snapshotter.deleteSnapshot(snapshotId, call), { kind: "unavailable" });

  assert.deepEqual(
    [copier.copies.size, inner.snapshotIds, operations(copier).includes("deleteCopy")],
    [1, [snapshotId], false],
  );
});

test("a target that cannot be reached is not asked again for each snapshot, only after a while", async () => {
  const clock = new TestClock({ skipsSleep: true });
  const { snapshotter, copier, inner, hooks } = rig({ clock });
  const [first, second] = [await inner.createSnapshot(request), await inner.createSnapshot(request)];
  const outage = new PluginError("no route", { kind: "unavailable" });
  hooks.before = ({ region }) => {
    if (region === "two") throw outage;
  };

  await assert.rejects(snapshotter.deleteSnapshot(first, call), { kind: "unavailable" });
  const asked = copier.requests.length;
  await assert.rejects(snapshotter.deleteSnapshot(second, call), { kind: "unavailable" });
  assert.equal(copier.requests.length, asked);

  hooks.before = () => {};
  await clock.advance(30_000);
  await snapshotter.deleteSnapshot(first, call);
  assert.deepEqual(inner.snapshotIds, [second]);
});

test("a copy that vanished meanwhile does not keep its origin", async () => {
  const { snapshotter, copier, inner, hooks } = rig();
  const snapshotId = await inner.createSnapshot(request);
  copier.copies.set("c", snapshotCopy({ copyId: "c", originId: snapshotId, region: "one" }));
  hooks.before = ({ operation }) => {
    if (operation === "deleteCopy") copier.copies.clear();
  };

  await snapshotter.deleteSnapshot(snapshotId, call);

  assert.deepEqual(inner.snapshotIds, []);
});

test("what the snapshotter cannot do, the location cannot do either", () => {
  const inner = new MemoryVolumeSnapshotter("here", 1);
  const plain = Object.assign(Object.create(inner), { check: undefined, describeSnapshot: undefined });
  const { copier } = rig();
  const options = {
    isWaiting: false,
    waitTimeoutMs: 1,
    copiesUnfinished: false,
    clock: new TestClock(),
    random: () => 0,
  };

  const wrapped = withSnapshotCopies(plain, copier, options);

  assert.deepEqual([wrapped.check, wrapped.describeSnapshot], [undefined, undefined]);
});
