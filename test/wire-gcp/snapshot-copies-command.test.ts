import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { Fault } from "@flotilla/test/emulators";

import { startFlotilla } from "../wire/flotilla-command.ts";
import type { RunningCommand } from "../wire/flotilla-command.ts";
import { until } from "../wire/until.ts";
import { pluginCommand } from "./harness.ts";
import { homeRegion, otherRegion, startSnapshotCopiesRig } from "./snapshot-copies-rig.ts";

/** Snapshots of backups, and the command line beside them. */
async function project(snapshots: number) {
  const rig = await startSnapshotCopiesRig({ pendingMs: 20, uploadMs: 20 });
  after(() => rig.close());
  const home = await rig.openHome();
  const ids: string[] = [];
  for (let made = 0; made < snapshots; made += 1) ids.push(await rig.backUp(home, "nightly"));
  const credentials = await rig.writeCredentials(
    "cli",
    rig.identity.serviceAccountKey("velero@flotilla.iam.gserviceaccount.com"),
  );
  const start = (words: readonly string[]): RunningCommand => {
    const config = { endpoint: rig.gce.url, snapshotLocation: homeRegion, copyToRegions: otherRegion };
    const flags = Object.entries(config).flatMap(([key, value]) => ["--volume-config", `${key}=${value}`]);
    const env = { PATH: process.env["PATH"] ?? "", GCE_METADATA_HOST: "127.0.0.1:1", TMPDIR: rig.folder };
    const all = ["volume", ...words, ...flags, "--provider", "gcp", "--credentials-file", credentials, "-o", "json"];
    return startFlotilla(all, { command: pluginCommand, env });
  };
  return { rig, ids, start };
}

const watch = ["copy", "--all", "--watch", "--interval", "20ms"] as const;
const before = { kind: "stall-request", afterBytes: 0 } as const;
const behind = { kind: "stall-response", afterBytes: 0 } as const;

// Each stage: the request at which the copier is killed, before it has its effect or after.
const stages: readonly (readonly [title: string, fault: Fault, operation: string, skip: number])[] = [
  ["before the first disk is made", before, "disks.insert", 0],
  ["after the first disk is made", behind, "disks.insert", 0],
  ["between two disks", before, "disks.insert", 1],
  ["before a snapshot is taken of a disk", before, "snapshots.insert", 2],
  ["after a snapshot is taken of a disk", behind, "snapshots.insert", 2],
  ["before a disk is removed", before, "disks.delete", 0],
  ["after a disk is removed", behind, "disks.delete", 1],
];

describe("a copier that is killed and run again", { concurrency: 2, timeout: 600_000 }, () => {
  for (const [title, fault, operation, skip] of stages)
    test(`makes each copy once and leaves no disk: killed ${title}`, async () => {
      const { start, rig, ids } = await project(2);
      // The backups' own snapshots are behind us.
      const own = operation === "snapshots.insert" ? skip - ids.length : skip;
      const met = rig.gce.faults.add(fault, { operation }, { skip: own });
      const victim = start(watch);
      await until("the fault was met", () => met.hits > 0);
      await victim.kill();
      rig.gce.faults.clear();

      const { exitCode } = await start(watch).finished;

      assert.equal(exitCode, 0);
      const copies = (await rig.remnants()).map((name) => rig.snapshot(name).status);
      assert.deepEqual(copies, ["READY", "READY"]);
    });
});

describe("flotilla volume prune", { timeout: 600_000 }, () => {
  test("removes what a copier left whose snapshot is gone, only when told", async () => {
    const { start, rig, ids } = await project(2);
    const met = rig.gce.faults.add(behind, { operation: "disks.insert" }, { skip: 1 });
    const victim = start(watch);
    await until("both disks are made", () => met.hits > 0);
    await victim.kill();
    rig.gce.faults.clear();
    const official = await rig.open({ session: rig.start() });
    for (const id of ids) await official.deleteSnapshot(id);

    const shown = await start(["prune"]).finished;
    const kept = await rig.remnants();
    const deleted = await start(["prune", "--delete", "--even-most"]).finished;

    // The plugin, whose host is gone, still removes the disk that it was about to make; the other one it does not know.
    assert.ok(kept.length > 0);
    assert.deepEqual([shown.exitCode, deleted.exitCode], [0, 0]);
    await until("nothing is left", async () => (await rig.remnants()).length === 0);
  });
});
