import assert from "node:assert/strict";
import { test } from "node:test";
import type { CopySnapshotCommandInput, Filter, Snapshot } from "@aws-sdk/client-ec2";
import { PluginError } from "@flotilla/sdk/plugin";
import { TestClock } from "@flotilla/sdk/testing";
import type { EbsCopyApi } from "./ebs-api.ts";
import { EbsCopier } from "./ebs-copies.ts";
import { readTags } from "./ebs-tags.ts";
import { quietCall } from "./testing/call.ts";

/** A region whose answers a test lines up. */
class ScriptedRegion implements EbsCopyApi {
  readonly region: string;
  readonly copied: CopySnapshotCommandInput[] = [];
  readonly asked: (readonly Filter[])[] = [];
  snapshots: Snapshot[] = [];
  faults: PluginError[] = [];
  found: string | undefined;

  constructor(region: string) {
    this.region = region;
  }

  async describeSnapshot(snapshotId: string): Promise<Snapshot> {
    return this.snapshots.find((snapshot) => snapshot.SnapshotId === snapshotId) ?? {};
  }

  async findSnapshot(): Promise<string | undefined> {
    return this.found;
  }

  async deleteSnapshot(): Promise<void> {}

  async *listSnapshots(filters: readonly Filter[]): AsyncIterable<Snapshot> {
    this.asked.push(filters);
    yield* this.snapshots;
  }

  async copySnapshot(input: CopySnapshotCommandInput): Promise<string> {
    this.copied.push(input);
    const fault = this.faults.shift();
    if (fault !== undefined) throw fault;
    return "snap-copy";
  }
}

const request = { originId: "snap-1", region: "there" };

function rig() {
  const [home, there] = [new ScriptedRegion("home"), new ScriptedRegion("there")];
  home.snapshots = [{ SnapshotId: "snap-1", State: "completed", Tags: [{ Key: "velero.io/backup", Value: "b" }] }];
  const clock = new TestClock({ skipsSleep: true });
  const targets = [{ region: "there", options: {}, api: there }];
  const copier = new EbsCopier({ home, targets, completionMinutes: undefined, clock, random: () => 0 });
  return { home, there, copier };
}

test("a full region is not asked a second time: whoever copies decides when", async () => {
  const { copier, there } = rig();
  there.faults = [new PluginError("full", { kind: "unavailable", code: "ResourceLimitExceeded" })];

  await assert.rejects(copier.startCopy(request, quietCall), { code: "ResourceLimitExceeded" });

  assert.equal(there.copied.length, 1);
});

test("a copy whose answer was lost is found and not made a second time", async () => {
  const { copier, there } = rig();
  there.faults = [new PluginError("cut", { kind: "unavailable" })];
  there.found = "snap-found";

  assert.equal(await copier.startCopy(request, quietCall), "snap-found");
  assert.equal(there.copied.length, 1);
});

test("each copy has a mark of its own, not the one of its origin", async () => {
  const { copier, home, there } = rig();
  home.snapshots = [{ SnapshotId: "snap-1", Tags: [{ Key: "flotilla.io/request", Value: "of the origin" }] }];

  await copier.startCopy(request, quietCall);
  await copier.startCopy(request, quietCall);

  const marks = there.copied.map(
    ({ TagSpecifications }) => readTags(TagSpecifications?.[0]?.Tags)["flotilla.io/request"],
  );
  assert.equal(new Set([...marks, "of the origin"]).size, 3);
});

test("ids are asked for in filters of two hundred", async () => {
  const { copier, home } = rig();
  const snapshotIds = Array.from({ length: 401 }, (_, index) => `snap-${index}`);

  await Array.fromAsync(copier.listOrigins({ snapshotIds }, quietCall));

  assert.deepEqual(
    home.asked.map(([filter]) => filter?.Values?.length),
    [200, 200, 1],
  );
});

for (const [snapshot, readiness] of [
  [{ State: "completed" }, "ready"],
  [{ State: "pending" }, "unfinished"],
  [{ State: "error" }, "failed"],
  [{ State: "completed", StorageTier: "archive" }, "failed"],
] as const) {
  test(`a snapshot that is ${JSON.stringify(snapshot)} is ${readiness}`, async () => {
    const { copier, home } = rig();
    home.snapshots = [snapshot];

    const [origin] = await Array.fromAsync(copier.listOrigins({}, quietCall));

    assert.equal(origin?.readiness, readiness);
  });
}
