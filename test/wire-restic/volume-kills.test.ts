import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { until } from "../wire/until.ts";
import { killAll } from "./kill-all.ts";
import { needsRestic, startVolumeRig, treeOf } from "./volume-rig.ts";
import type { VolumeRig } from "./volume-rig.ts";

const anyType = { volumeType: "folder", volumeAz: "", iops: undefined };
const tags = { "velero.io/backup": "nightly" };

let rig: VolumeRig;

describe("volumes when something is killed", { ...needsRestic, timeout: 600_000 }, () => {
  before(async () => {
    rig = await startVolumeRig();
  });
  after(() => rig.close());

  test("a plugin that is killed during a snapshot leaves none that counts, and a sound repository", async () => {
    const session = rig.start();
    const snapshotter = await rig.open({ session, config: { resticPath: await slowRestic() } });
    const volumeId = await rig.addVolume("pvc-1", { big: randomBytes(2_000_000) });

    const failing = failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: "", tags }));
    await until("restic had begun", async () => (await resticPids("./pvc-1")).length > 0);
    killAll(session.manager.pids);
    await failing;

    // It would end by itself; a node that is lost takes it along.
    killAll(await resticPids("./pvc-1"));
    await until("the orphan had ended", async () => (await resticPids("./pvc-1")).length === 0);
    await rig.check();
    const again = await rig.open({ session });
    const snapshotId = await again.createSnapshot({ volumeId, volumeAz: "", tags });
    const restored = await again.createVolumeFromSnapshot({ snapshotId, ...anyType });
    assert.deepEqual(await treeOf(restored), await treeOf(volumeId));
  });

  test("a restic that is killed during a snapshot fails it, and the repository stays sound", async () => {
    const snapshotter = await rig.open({ config: { resticPath: await slowRestic() } });
    const volumeId = await rig.addVolume("pvc-2", { big: randomBytes(2_000_000) });
    const before = await rig.countSnapshots();

    const failing = failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: "", tags }));
    await until("restic had begun", async () => (await resticPids("./pvc-2")).length > 0);
    killAll(await resticPids("./pvc-2"));
    const error = await failing;

    assert.equal(error.kind, "unavailable");
    await rig.check();
    assert.equal(await rig.countSnapshots(), before);
  });

  test("a plugin that is killed during a restore leaves no volume, and a later restore removes the rest", async () => {
    const volumeId = await rig.addVolume("kill/pvc-3", { big: randomBytes(1_500_000) });
    const snapshotId = await (await rig.open()).createSnapshot({ volumeId, volumeAz: "", tags });
    const session = rig.start();
    const config = { resticPath: await slowRestic(), cacheFolder: join(rig.folder, "empty-cache") };
    const snapshotter = await rig.open({ session, config });

    const failing = failureOf(snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType }));
    await until("the restore had begun", async () => (await resticPids(".flotilla-restore")).length > 0);
    killAll(session.manager.pids);
    await failing;

    const [hidden = "", volume] = await namesIn("kill");
    assert.ok(hidden.startsWith(".flotilla-restore-"));
    assert.equal(volume, "pvc-3");
    killAll(await resticPids(hidden));
    await until("the orphan had ended", async () => (await resticPids(hidden)).length === 0);
    execFileSync("touch", ["-d", "2 hours ago", join(rig.root, "kill", hidden)]);
    await (await rig.open({ session })).createVolumeFromSnapshot({ snapshotId, ...anyType });
    assert.deepEqual(
      (await namesIn("kill")).filter((name) => name.startsWith(".")),
      [],
    );
  });

  test("a restic that is killed during a restore leaves nothing behind", async () => {
    const volumeId = await rig.addVolume("kill-restic/pvc-4", { big: randomBytes(1_500_000) });
    const snapshotId = await (await rig.open()).createSnapshot({ volumeId, volumeAz: "", tags });
    const config = { resticPath: await slowRestic(), cacheFolder: join(rig.folder, "another-cache") };
    const snapshotter = await rig.open({ config });

    const failing = failureOf(snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType }));
    await until("the restore had begun", async () => (await resticPids(".flotilla-restore")).length > 0);
    killAll(await resticPids(".flotilla-restore"));
    await failing;

    assert.deepEqual(await namesIn("kill-restic"), ["pvc-4"]);
  });

  test("a restore that the host gives up leaves nothing behind", async () => {
    const volumeId = await rig.addVolume("abort/pvc-5", { big: randomBytes(1_500_000) });
    const snapshotId = await (await rig.open()).createSnapshot({ volumeId, volumeAz: "", tags });
    const config = { resticPath: await slowRestic(), cacheFolder: join(rig.folder, "third-cache") };
    const snapshotter = await rig.open({ config });
    const abort = new AbortController();

    const failing = failureOf(
      snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType }, { signal: abort.signal }),
    );
    await until("the restore had begun", async () => (await resticPids(".flotilla-restore")).length > 0);
    abort.abort();
    await failing;

    await until("it was cleaned up", async () => (await namesIn("abort")).length === 1);
  });
});

/** The names in a folder of the root. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(join(rig.root, folder))).sort();
}

/** A restic that takes a quarter of a minute, so that something can happen meanwhile. */
async function slowRestic(): Promise<string> {
  return await rig.standIn("slow-restic", 'exec "$RESTIC" "$@" --limit-upload 100 --limit-download 100');
}

/** The processes of restic of this rig whose command line holds this name. */
async function resticPids(name: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const line = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0").join(" ");
    if (line.startsWith(rig.restic) && line.includes(rig.folder) && line.includes(name)) found.push(Number(pid));
  }
  return found;
}
