import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import type { SnapshotCopy } from "@flotilla/sdk/plugin";

import { discover } from "./discover.ts";
import { Manager } from "./manager.ts";
import { freshFolder, writeScript } from "./testing/raw-launcher.ts";

const fixture = fileURLToPath(new URL("fixture-plugin.ts", import.meta.resolve("@flotilla/sdk/testing")));

async function open(context: TestContext) {
  const folder = await freshFolder();
  await writeScript(folder, "fixture", `FLOTILLA_COMMAND="$0" exec "${process.execPath}" "${fixture}" "$@"`);
  const settings = { env: process.env, onViolation: (violation: string) => assert.fail(violation) };
  const manager = new Manager(await discover(join(folder), settings), settings);
  context.after(() => manager.close());
  const client = manager.getVolumeSnapshotter("velero.io/fixture");
  await client.init({ region: "here", copyToRegions: "there, elsewhere" });
  return client;
}

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  return await Array.fromAsync(items);
}

test("a copy of an unknown snapshot is not found, and so is the removal of an unknown copy", async (context) => {
  const { copies } = await open(context);

  await assert.rejects(copies.startCopy({ originId: "snap-0", region: "there" }), { kind: "not-found" });
  await assert.rejects(copies.deleteCopy({ copyId: "c", region: "there" }), { kind: "not-found" });
});

test("targets, snapshots and copies cross the wire as they are", async (context) => {
  const client = await open(context);
  const snapshotId = await client.createSnapshot({ volumeId: "here-vol-1", volumeAz: "", tags: {} });

  const targets = await client.copies.targets();
  const [origin, ...others] = await all(client.copies.listOrigins({ backup: "nightly" }));
  const copyId = await client.copies.startCopy({ originId: snapshotId, region: "there" });
  const copies = await all(client.copies.listCopies({ region: "there", originId: snapshotId }));

  assert.deepEqual(
    targets.map(({ region }) => region),
    ["there", "elsewhere"],
  );
  assert.deepEqual(
    [origin?.snapshotId, origin?.readiness, origin?.sizeBytes, others],
    [snapshotId, "ready", 1n << 30n, []],
  );
  const expected: SnapshotCopy = {
    copyId,
    region: "there",
    originId: snapshotId,
    originRegion: "here",
    state: "pending",
    detail: "",
    progressPercent: 0,
    startedAt: new Date(1),
    needsTending: false,
  };
  assert.deepEqual(copies, [expected]);
});

test("a copy is removed", async (context) => {
  const client = await open(context);
  const originId = await client.createSnapshot({ volumeId: "here-vol-1", volumeAz: "", tags: {} });
  const ref = { region: "there", copyId: await client.copies.startCopy({ originId, region: "there" }) };

  await client.copies.tendCopy(ref);
  await client.copies.deleteCopy(ref);

  assert.deepEqual(await all(client.copies.listCopies({ region: "there" })), []);
  assert.deepEqual(await client.copies.localCopies(originId), []);
});
