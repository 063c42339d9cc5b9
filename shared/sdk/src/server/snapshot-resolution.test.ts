import assert from "node:assert/strict";
import { test } from "node:test";

import { PluginError, silentLogger } from "../plugin/index.ts";
import type { PluginErrorKind, SnapshotCopy } from "../plugin/index.ts";
import { MemorySnapshotCopier, MemoryVolumeSnapshotter, snapshotCopy } from "../testing/index.ts";
import { SnapshotLocations } from "./snapshot-locations.ts";

const call = { signal: new AbortController().signal, log: silentLogger };

interface Seed {
  readonly region: string;
  /** What it answers when it is asked for the snapshot itself. */
  readonly answer: PluginErrorKind | "known";
  readonly copies?: readonly Partial<SnapshotCopy>[];
}

/** Locations in the order in which they were opened. */
function open(...seeds: readonly Seed[]) {
  const locations = new SnapshotLocations(silentLogger);
  const opened = seeds.map(({ region, answer, copies = [] }) => {
    const copier = new MemorySnapshotCopier({ region, origins: () => [] });
    for (const [index, copy] of copies.entries()) {
      const copyId = copy.copyId ?? `${region}-copy-${index}`;
      copier.copies.set(copyId, snapshotCopy({ ...copy, copyId, region, originId: "snap", originRegion: "home" }));
    }
    const snapshotter = Object.assign(new MemoryVolumeSnapshotter(region, 0), { copies: copier });
    locations.add("n", { region }, snapshotter);
    return { region, answer, copier, snapshotter };
  });
  const read = async (): Promise<string> =>
    await locations.whereReadable("n", "snap", call, async (snapshotter, id) => {
      const found = opened.find((one) => one.snapshotter === snapshotter);
      if (id === "snap" && found?.answer !== "known")
        throw new PluginError(`${found?.region} says ${found?.answer}`, { kind: found?.answer ?? "internal" });
      return await Promise.resolve(`${found?.region} ${id}`);
    });
  return { read, opened, locations };
}

test("a snapshot that is there is never mistaken for its copy, in whatever order the locations were opened", async () => {
  const home: Seed = { region: "home", answer: "known" };
  const there: Seed = { region: "there", answer: "not-found", copies: [{ state: "completed" }] };

  assert.equal(await open(home, there).read(), "home snap");
  assert.equal(await open(there, home).read(), "home snap");
});

test("an unknown snapshot is read from the newest complete copy in this region", async () => {
  const copies: readonly Partial<SnapshotCopy>[] = [
    { copyId: "old", state: "completed", startedAt: new Date(1) },
    { copyId: "new", state: "completed", startedAt: new Date(2) },
    { copyId: "newest", state: "pending", startedAt: new Date(3) },
  ];

  assert.equal(await open({ region: "there", answer: "not-found", copies }).read(), "there new");
});

test("a copy that is not complete is an error with its progress", async () => {
  const copies: readonly Partial<SnapshotCopy>[] = [{ copyId: "c", state: "pending", progressPercent: 41.9 }];

  await assert.rejects(open({ region: "there", answer: "not-found", copies }).read(), {
    kind: "unavailable",
    message: /region home.*copy c in there is not complete \(41 %\)/,
  });
});

test("a copy that failed is an error with the cloud's words, and not an absent snapshot", async () => {
  const copies: readonly Partial<SnapshotCopy>[] = [{ copyId: "c", state: "failed", detail: "key denied" }];

  await assert.rejects(open({ region: "there", answer: "not-found", copies }).read(), {
    kind: "incomplete",
    message: /copy c in there failed \(key denied\)/,
  });
});

test("without a copy an unknown snapshot stays not found", async () => {
  await assert.rejects(open({ region: "there", answer: "not-found" }).read(), { kind: "not-found" });
});

for (const answer of ["unavailable", "timeout", "denied"] as const) {
  test(`where the snapshot itself is ${answer}, another location's copy is no answer`, async () => {
    const there: Seed = { region: "there", answer: "not-found", copies: [{ state: "completed" }] };

    await assert.rejects(open({ region: "home", answer }, there).read(), { message: `home says ${answer}` });
  });

  test(`where the snapshot itself is ${answer}, the same location's copy is used`, async () => {
    const copies: readonly Partial<SnapshotCopy>[] = [{ copyId: "c", state: "completed" }];

    assert.equal(await open({ region: "there", answer, copies }).read(), "there c");
  });
}

test("a failure of another kind is not covered up by a copy", async () => {
  const there: Seed = { region: "there", answer: "invalid-argument", copies: [{ state: "completed" }] };

  await assert.rejects(open(there).read(), { kind: "invalid-argument" });
});

test("the copies of an unknown snapshot are deleted, in every location's own region", async () => {
  const { locations, opened } = open(
    { region: "one", answer: "not-found", copies: [{ state: "completed" }, { state: "pending" }] },
    { region: "two", answer: "not-found", copies: [{ state: "failed" }] },
  );

  await locations.deleteLocalCopies("n", "snap", call);

  assert.deepEqual(
    opened.map(({ copier }) => copier.copies.size),
    [0, 0],
  );
});
