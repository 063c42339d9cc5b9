import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { Fault, FaultMatch } from "@flotilla/test/emulators";

import { elsewhere, home, startCopiesRig, there } from "./snapshot-copies-rig.ts";
import type { CopiesRig } from "./snapshot-copies-rig.ts";
import { startFlotilla } from "./flotilla-command.ts";
import type { RunningCommand } from "./flotilla-command.ts";
import { owner, pluginCommand } from "./harness.ts";
import { until } from "./until.ts";

const targets = `${there} ${elsewhere}`;

/** A region with snapshots of a backup, and the command line beside it. */
async function region(snapshots: number, standIn: Parameters<typeof startCopiesRig>[0] = {}) {
  const rig = await startCopiesRig({ pendingMs: 1, ...standIn });
  after(() => rig.close());
  const ids: string[] = [];
  for (let made = 0; made < snapshots; made += 1) ids.push(await rig.snapshotOfficially());
  const credentials = await rig.writeCredentials("cli", owner);
  const start = (words: readonly string[], more: Readonly<Record<string, string>> = {}): RunningCommand => {
    const config = { region: home, endpoint: rig.ec2.url, copyToRegions: targets, ...more };
    const flags = Object.entries(config).flatMap(([key, value]) => ["--volume-config", `${key}=${value}`]);
    const env = {
      PATH: process.env["PATH"] ?? "",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_MAX_ATTEMPTS: "2",
      TMPDIR: rig.folder,
    };
    return startFlotilla(["volume", ...words, ...flags, "--credentials-file", credentials, "-o", "json"], {
      command: pluginCommand,
      env,
    });
  };
  const run = async (...words: readonly string[]) => {
    const { exitCode, stdout, stderr } = await start(words).finished;
    // What the command prints with -o json.
    return { exitCode, stderr, report: JSON.parse(stdout) as Report };
  };
  return { rig, ids, start, run };
}

interface Report {
  readonly complete: boolean;
  readonly copies: readonly {
    readonly state: string;
    readonly detail: string;
    readonly outcome: string;
    readonly reason: string;
  }[];
  readonly missing: readonly string[];
  readonly deleted?: readonly string[];
  readonly caution?: string;
  readonly error?: { readonly message: string };
}

/** How many copies each snapshot has in each target, and in which states they are. */
async function tally(rig: CopiesRig): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const name of [there, elsewhere])
    for (const { State } of await rig.copiesIn(name)) {
      const key = `${name} ${State}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
  return counts;
}

describe("flotilla volume info", { concurrency: 2 }, () => {
  test("of a snapshot whose copy is still on its way says how far it is", async () => {
    const { ids, start } = await region(1, { copyMs: 3_600_000 });
    await start(["copy", "--all", "--parallel", "1"], { copyToRegions: there }).finished;

    const { exitCode, stderr } = await start(["info", ids[0] ?? ""], { region: there, copyToRegions: "" }).finished;

    assert.equal(exitCode, 1);
    assert.match(stderr, /is of region us-east-1, and its copy snap-\w+ in eu-west-1 is not complete \(\d+ %\)/);
  });

  test("of an id that nobody knows says so of both, a volume and a snapshot", async () => {
    const { start } = await region(0);

    const { exitCode, stderr } = await start(["info", "snap-0123456789abcdef0"]).finished;

    assert.equal(exitCode, 1);
    assert.match(stderr, /neither a volume nor a snapshot.*snapshot "snap-0123456789abcdef0".* not found/);
  });
});

/** Less than what a signature may be off. */
const minutes = 600_000;

/** The system's clock, with time that a test adds. */
function movedClock(): { readonly now: () => Date; readonly move: (ms: number) => void } {
  let addedMs = 0;
  return { now: () => new Date(Date.now() + addedMs), move: (ms) => void (addedMs += ms) };
}

const watch = ["copy", "--all", "--watch", "--interval", "20ms"] as const;

describe("flotilla volume copy", { concurrency: 2 }, () => {
  test("without a choice of snapshots, or without targets, is a wrong use", async () => {
    const { start } = await region(0);

    const unchosen = await start(["copy"]).finished;
    const nowhere = await start(["copy", "--all"], { copyToRegions: "" }).finished;
    const breathless = await start(["copy", "--all", "--watch", "--interval", "0s"]).finished;
    const endless = await start(["copy", "--all", "--watch", "--interval", "600h"]).finished;

    assert.deepEqual(
      [unchosen, nowhere, breathless, endless].map(({ exitCode }) => exitCode),
      [2, 2, 2, 2],
    );
    assert.match(endless.stderr, /--interval 600h: give a duration of more than nothing and up to 500h/);
    assert.match(unchosen.stderr, /ids, --backup NAME or --all/);
    assert.match(nowhere.stderr, /set its key copyToRegions/);
  });

  test("of a snapshot that does not exist, or of a backup without any, fails", async () => {
    const { run, ids } = await region(1);

    const named = await run("copy", "--watch", "--interval", "20ms", ids[0] ?? "", "snap-0123456789abcdef0");
    const backup = await run("copy", "--backup", "unknown");

    assert.deepEqual([named.exitCode, named.report.missing], [1, ["snap-0123456789abcdef0"]]);
    assert.equal(named.report.copies.length, 2);
    assert.notEqual(backup.exitCode, 0);
  });

  test("of a named snapshot that is deleted meanwhile is not complete; one of all that expires is told and is no failure", async () => {
    const clock = movedClock();
    const { start, rig, ids } = await region(2, { copyMs: minutes, now: clock.now });
    const isBegun = async (id = ""): Promise<boolean> => {
      const copies = await Promise.all([there, elsewhere].map(async (name) => await rig.copiesIn(name, id)));
      return copies.every(({ length }) => length > 0);
    };
    // Each has looked at its snapshots once it begins to copy them; one that looks later finds the first one gone.
    const ofNamed = start(["copy", "--watch", "--interval", "20ms", ids[0] ?? ""]);
    await until("the copies of the named snapshot are on their way", async () => await isBegun(ids[0]));
    const ofAll = start(watch);
    await until("those of the other are on their way", async () => await isBegun(ids[1]));
    await rig.deleteOfficially(ids[0] ?? "");
    // Copies that are complete before it is missed are good ones.
    await until("both miss the first one", () =>
      [ofNamed, ofAll].every((command) => command.told().includes("was deleted meanwhile")),
    );
    clock.move(minutes);

    const [named, all] = await Promise.all([ofNamed.finished, ofAll.finished]);

    // What the command prints with -o json.
    const { complete, missing } = JSON.parse(named.stdout) as Report;
    const { deleted } = JSON.parse(all.stdout) as Report;
    assert.deepEqual([named.exitCode, complete, missing], [1, false, [ids[0]]]);
    assert.deepEqual([all.exitCode, deleted], [0, [ids[0]]]);
  });

  test("without --watch starts what it may and is not zero until all is complete", async () => {
    const clock = movedClock();
    const { run, rig } = await region(2, { copyMs: minutes, now: clock.now });

    const first = await run("copy", "--all");
    clock.move(minutes);
    const second = await run("copy", "--all");

    assert.deepEqual([first.exitCode, first.report.complete], [1, false]);
    assert.ok(first.report.copies.every(({ state }) => state === "pending"));
    assert.deepEqual([second.exitCode, second.report.complete, second.stderr], [0, true, ""]);
    assert.deepEqual(await tally(rig), { [`${there} completed`]: 2, [`${elsewhere} completed`]: 2 });
  });

  test("keeps within the cloud's bound of copies at once, and within its own", async () => {
    const { run, start, rig } = await region(5, { copyMs: 150, maxConcurrentCopies: 2 });

    const bounded = await run(...watch);
    assert.deepEqual(
      [bounded.exitCode, await tally(rig)],
      [0, { [`${there} completed`]: 5, [`${elsewhere} completed`]: 5 }],
    );

    rig.ec2.log.clear();
    const own = await start([...watch, "--parallel", "1"]).finished;
    assert.equal(own.exitCode, 0);
    assert.deepEqual(rig.ec2.log.entries("CopySnapshot"), []);
  });

  test("a copy that fails is made again, and one that fails for good is named and not zero", async () => {
    const { run, rig, ids } = await region(1, { kms: { denied: [] } });
    rig.ec2.failNextSnapshot(ids[0] ?? "", "an internal error");

    const { exitCode, stderr } = await run(...watch);

    assert.equal(exitCode, 0);
    assert.match(stderr, /a failed copy is removed and made again.*an internal error/);
    assert.deepEqual(await tally(rig), { [`${there} completed`]: 1, [`${elsewhere} completed`]: 1 });
  });

  test("a denied permission ends it with the remedy, without a request for each snapshot", async () => {
    const { run, rig } = await region(4);
    rig.ec2.faults.add(
      { kind: "error", status: 403, code: "UnauthorizedOperation" },
      { operation: "CopySnapshot" },
      { times: Number.POSITIVE_INFINITY },
    );

    const { exitCode, report } = await run(...watch);

    assert.equal(exitCode, 1);
    assert.ok(report.copies.every(({ state, detail }) => state === "failed" && /grant ec2:CopySnapshot/.test(detail)));
    assert.equal(rig.ec2.log.entries("CopySnapshot").length, 2);
  });

  test("outlasts a storm of throttles", async () => {
    const { run, rig } = await region(3);
    const throttled = { kind: "error", status: 503, code: "RequestLimitExceeded" } as const;
    for (const operation of ["CopySnapshot", "DescribeSnapshots"])
      for (const skip of [1, 4, 6]) rig.ec2.faults.add(throttled, { operation }, { times: 2, skip });

    const { exitCode } = await run(...watch);

    assert.equal(exitCode, 0);
    assert.deepEqual(await tally(rig), { [`${there} completed`]: 3, [`${elsewhere} completed`]: 3 });
  });

  test("a target that is lost keeps neither the other target nor the next run", async () => {
    const { run, rig } = await region(2);
    const lost = rig.ec2.loseRegion(there);
    // The one second is over before a busy machine looks a second time: what was begun has to be complete by then.
    await run("copy", "--all");

    const during = await run(...watch, "--timeout", "1s");
    lost.remove();
    const afterwards = await run(...watch);

    assert.equal(during.exitCode, 1);
    assert.equal(during.report.copies.filter(({ state }) => state === "completed").length, 2);
    assert.equal(afterwards.exitCode, 0);
    assert.deepEqual(await tally(rig), { [`${there} completed`]: 2, [`${elsewhere} completed`]: 2 });
  });
});

// Each stage: the request at which the copier is killed, before it has its effect or after.
const stages: readonly (readonly [title: string, fault: Fault, match: FaultMatch, skip: number])[] = [
  ["before the snapshots are listed", { kind: "stall-request", afterBytes: 0 }, { operation: "DescribeSnapshots" }, 0],
  ["before the copies are listed", { kind: "stall-request", afterBytes: 0 }, { operation: "DescribeSnapshots" }, 2],
  ["before a snapshot is looked at", { kind: "stall-request", afterBytes: 0 }, { operation: "DescribeSnapshots" }, 3],
  ["before the first copy is made", { kind: "stall-request", afterBytes: 0 }, { operation: "CopySnapshot" }, 0],
  ["after the first copy is made", { kind: "stall-response", afterBytes: 0 }, { operation: "CopySnapshot" }, 0],
  ["between two copies", { kind: "stall-request", afterBytes: 0 }, { operation: "CopySnapshot" }, 3],
  ["after the last copy is made", { kind: "stall-response", afterBytes: 0 }, { operation: "CopySnapshot" }, 5],
  ["while it waits", { kind: "stall-request", afterBytes: 0 }, { operation: "DescribeSnapshots" }, 10],
];

describe("a copier that is killed and run again makes each copy once", { concurrency: 2 }, () => {
  for (const [title, fault, match, skip] of stages)
    test(`killed ${title}`, async () => {
      const { start, run, rig } = await region(3, { copyMs: 100 });
      const met = rig.ec2.faults.add(fault, match, { skip });
      const victim = start(watch);
      await until("the fault was met", () => met.hits > 0);
      await victim.kill();
      rig.ec2.faults.clear();

      const { exitCode } = await run(...watch);

      assert.equal(exitCode, 0);
      assert.deepEqual(await tally(rig), { [`${there} completed`]: 3, [`${elsewhere} completed`]: 3 });
    });

  test("the plugin alone is killed: the copier goes on with a new one", async () => {
    const { start, rig } = await region(3, { copyMs: 100 });
    const stalled = { kind: "stall-response", afterBytes: 0 } as const;
    const met = rig.ec2.faults.add(stalled, { operation: "CopySnapshot" }, { skip: 2 });
    const copier = start(watch);
    await until("the fault was met", () => met.hits > 0);
    await copier.killPlugins();
    rig.ec2.faults.clear();

    const { exitCode } = await copier.finished;

    assert.equal(exitCode, 0);
    assert.deepEqual(await tally(rig), { [`${there} completed`]: 3, [`${elsewhere} completed`]: 3 });
  });

  test("killed between the removal of a failed copy and its new one", async () => {
    const { start, run, rig, ids } = await region(1);
    rig.ec2.failNextSnapshot(ids[0] ?? "", "an internal error");
    await start(["copy", "--all"]).finished;
    const met = rig.ec2.faults.add({ kind: "stall-response", afterBytes: 0 }, { operation: "DeleteSnapshot" });
    const victim = start(watch);
    await until("the failed copy was removed", () => met.hits > 0);
    await victim.kill();
    rig.ec2.faults.clear();

    const { exitCode } = await run(...watch);

    assert.deepEqual([exitCode, await tally(rig)], [0, { [`${there} completed`]: 1, [`${elsewhere} completed`]: 1 }]);
  });
});

describe("flotilla volume prune", { concurrency: 2 }, () => {
  test("deletes nothing while the home region is lost: its snapshots are not gone", async () => {
    const { run, rig } = await region(2);
    await run(...watch);
    const lost = rig.ec2.loseRegion(home);

    const { exitCode, report } = await run("prune", "--delete");
    lost.remove();

    assert.equal(exitCode, 1);
    assert.match(report.error?.message ?? "", /list the snapshots in region us-east-1/);
    assert.deepEqual(await tally(rig), { [`${there} completed`]: 2, [`${elsewhere} completed`]: 2 });
  });

  test("finds the copies of a snapshot that the official plugin deleted, and deletes them only when told", async () => {
    const { run, rig, ids } = await region(2);
    await run(...watch);
    await rig.deleteOfficially(ids[0] ?? "");

    const shown = await run("prune");
    const before = await tally(rig);
    const deleted = await run("prune", "--delete");

    assert.deepEqual([shown.exitCode, deleted.exitCode], [0, 0]);
    assert.deepEqual(
      shown.report.copies.map(({ reason, outcome }) => `${reason} ${outcome}`),
      ["origin-gone kept", "origin-gone kept"],
    );
    assert.deepEqual(before, { [`${there} completed`]: 2, [`${elsewhere} completed`]: 2 });
    assert.deepEqual(await tally(rig), { [`${there} completed`]: 1, [`${elsewhere} completed`]: 1 });
    assert.equal((await rig.copiesIn(there, ids[1])).length, 1);
  });

  test("deletes nothing where most of what was copied is gone at once, unless told that it is so", async () => {
    const { run, rig, ids } = await region(3);
    await run(...watch);
    for (const id of ids.slice(0, 2)) await rig.deleteOfficially(id);

    const shown = await run("prune");
    const refused = await run("prune", "--delete");
    const kept = await tally(rig);
    const deleted = await run("prune", "--delete", "--even-most");

    assert.deepEqual([shown.exitCode, refused.exitCode, deleted.exitCode], [0, 1, 0]);
    assert.match(shown.report.caution ?? "", /2 of the 3 snapshots that have copies are gone/);
    assert.match(refused.report.error?.message ?? "", /nothing was deleted: .* add --even-most/);
    assert.deepEqual(kept, { [`${there} completed`]: 3, [`${elsewhere} completed`]: 3 });
    assert.deepEqual(await tally(rig), { [`${there} completed`]: 1, [`${elsewhere} completed`]: 1 });
  });

  test("of two copies of one snapshot leaves one", async () => {
    const { run, rig, ids } = await region(1);
    const snapshotter = await rig.open({ config: { copyToRegions: targets } });
    for (let made = 0; made < 2; made += 1)
      await snapshotter.copies.startCopy({ originId: ids[0] ?? "", region: there });

    const { report } = await run("prune", "--delete");

    assert.deepEqual(
      report.copies.map(({ reason, outcome }) => `${reason} ${outcome}`),
      ["duplicate deleted"],
    );
    assert.deepEqual(await tally(rig), { [`${there} completed`]: 1 });
  });

  test("one copy that cannot be deleted does not keep the others, and is not zero", async () => {
    const { run, rig, ids } = await region(2);
    await run(...watch);
    await rig.deleteOfficially(ids[0] ?? "");
    const [copy] = await rig.copiesIn(there, ids[0]);
    rig.ec2.useSnapshotInImage(there, copy?.SnapshotId ?? "", "ami-1");

    const { exitCode, report } = await run("prune", "--delete");

    assert.equal(exitCode, 1);
    assert.deepEqual(
      report.copies.map(({ outcome }) => outcome),
      ["failed", "deleted"],
    );
    assert.match(report.copies[0]?.detail ?? "", /in use by an AMI/);
  });
});
