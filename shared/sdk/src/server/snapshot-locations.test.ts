import assert from "node:assert/strict";
import { test } from "node:test";

import { PluginError, silentLogger } from "../plugin/index.ts";
import type { OpenedVolumeSnapshotter, PluginErrorKind } from "../plugin/index.ts";
import { MemoryVolumeSnapshotter } from "../testing/memory-volume-snapshotter.ts";
import { SnapshotLocations } from "./snapshot-locations.ts";

// What each location answers, from the newest to the oldest, and what comes of it.
const cases: readonly (readonly [answers: readonly (PluginErrorKind | "ok")[], outcome: string, asked: number])[] = [
  [["ok", "ok"], "ok by 0", 1],
  [["denied", "ok"], "denied by 0", 1],
  [["not-found", "ok"], "ok by 1", 2],
  [["not-found", "not-found", "ok"], "ok by 2", 3],
  [["not-found", "denied", "ok"], "ok by 2", 3],
  [["not-found", "denied", "not-found"], "denied by 1", 3],
  [["not-found", "timeout", "ok"], "timeout by 1", 2],
  [["not-found", "not-found"], "not-found by 0", 2],
];

for (const [answers, outcome, asked] of cases) {
  test(`answers ${answers.join(", ")} come to ${outcome}`, async () => {
    const locations = new SnapshotLocations(silentLogger);
    const snapshotters = answers.map(() => new MemoryVolumeSnapshotter("r", 0));
    for (const [index, snapshotter] of [...snapshotters.entries()].toReversed())
      locations.add("n", { region: String(index) }, snapshotter);
    const seen: number[] = [];

    const result = await locations
      .whereKnown("n", "id", async (snapshotter: OpenedVolumeSnapshotter) => {
        const index = snapshotters.findIndex((candidate) => candidate === snapshotter);
        seen.push(index);
        const answer = answers[index] ?? "internal";
        if (answer === "ok") return await Promise.resolve(`ok by ${index}`);
        throw new PluginError(`${answer} by ${index}`, { kind: answer });
      })
      .catch((error: unknown) => PluginError.from(error).message);

    assert.equal(result, outcome);
    assert.equal(seen.length, asked);
  });
}

test("opening the same configuration again replaces it, in whatever order its keys come", async () => {
  const locations = new SnapshotLocations(silentLogger);
  const [former, latter] = [new MemoryVolumeSnapshotter("former", 0), new MemoryVolumeSnapshotter("latter", 1)];
  locations.add("n", { a: "1", b: "2" }, former);
  locations.add("n", { b: "2", a: "1" }, latter);
  const seen: OpenedVolumeSnapshotter[] = [];

  await assert.rejects(
    locations.whereKnown("n", "id", async (snapshotter) => {
      seen.push(snapshotter);
      return await Promise.reject(new PluginError("no", { kind: "not-found" }));
    }),
  );

  assert.deepEqual(seen, [latter]);
});

test("the location that an id speaks for is asked first, the newest of equals", async () => {
  const locations = new SnapshotLocations(silentLogger);
  const affinities: readonly (readonly [name: string, affinity: number | undefined])[] = [
    ["oldest", 2],
    ["older", 1],
    ["newer", 2],
    ["newest", undefined],
  ];
  for (const [name, affinity] of affinities) {
    const opened: OpenedVolumeSnapshotter = new MemoryVolumeSnapshotter(name, 0);
    locations.add("n", { name }, affinity === undefined ? opened : Object.assign(opened, { affinity: () => affinity }));
    Object.assign(opened, { label: name });
  }
  const seen: string[] = [];

  await assert.rejects(
    locations.whereKnown("n", "id", async (snapshotter) => {
      seen.push("label" in snapshotter ? String(snapshotter.label) : "");
      return await Promise.reject(new PluginError("no", { kind: "not-found" }));
    }),
  );

  assert.deepEqual(seen, ["newer", "oldest", "older", "newest"]);
});
