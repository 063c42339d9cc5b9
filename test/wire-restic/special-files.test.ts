import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { link, lstat, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { toldLines } from "../wire/told-lines.ts";
import { needsRestic, startVolumeRig, treeOf } from "./volume-rig.ts";
import type { VolumeRig } from "./volume-rig.ts";

// What else lies in the folders of applications: sockets of databases, pipes, sparse images, names of any bytes.

const anyType = { volumeType: "folder", volumeAz: "", iops: undefined };
const tags = { "velero.io/backup": "nightly" };

describe("files that are no plain files", { ...needsRestic, timeout: 600_000 }, () => {
  let rig: VolumeRig;

  before(async () => {
    rig = await startVolumeRig();
  });
  after(() => rig.close());

  async function snapshotAndRestore(volumeId: string): Promise<string> {
    const snapshotter = await rig.open();
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    return await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });
  }

  test("a database's socket hinders neither the snapshot nor the restore, in which it is missing", async () => {
    const volumeId = await rig.addVolume("db/pvc");
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(join(volumeId, "db.sock"), resolve));
    try {
      const restored = await snapshotAndRestore(volumeId);
      assert.equal((await lstat(join(restored, "a.txt"))).isFile(), true);
    } finally {
      server.close();
    }
  });

  test("pipes, hard links, sparse files and names of any bytes come back", async () => {
    const files = { "new\nline, and = comma": "x", "-flag": "y", "日本語🎉": "z" };
    const volumeId = await rig.addVolume("special/pvc", files);
    execFileSync("mkfifo", [join(volumeId, "pipe")]);
    // No UTF-8.
    const named = (folder: string): Buffer => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff])]);
    await writeFile(named(volumeId), "bytes");
    await link(join(volumeId, "-flag"), join(volumeId, "linked"));
    await truncate(await emptyFile(join(volumeId, "sparse")), 300 * 1024 ** 2);

    const restored = await snapshotAndRestore(volumeId);

    const [one, other] = [await stat(join(restored, "-flag")), await stat(join(restored, "linked"))];
    assert.equal(one.ino, other.ino);
    assert.equal((await lstat(join(restored, "pipe"))).isFIFO(), true);
    assert.equal(await readFile(named(restored), "utf8"), "bytes");
    assert.equal((await stat(join(restored, "sparse"))).size, 300 * 1024 ** 2);
    for (const folder of [volumeId, restored]) {
      await rm(join(folder, "sparse"));
      await rm(named(folder));
      await utimes(folder, 0, 0);
    }
    assert.deepEqual(await treeOf(restored), await treeOf(volumeId));
  });

  test("a volume that has lost all of its files is told as a warning, one that never had any is not", async () => {
    const session = rig.start();
    const snapshotter = await rig.open({ session });
    const [volumeId, neverFilled] = [await rig.addVolume("lost/pvc"), await rig.addVolume("never/pvc", {})];
    await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    await snapshotter.createSnapshot({ volumeId: neverFilled, volumeAz: "", tags });
    await rm(join(volumeId, "a.txt"));

    await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    // Three ends: what was told before the last of them is there, too.
    await toldLines(session, /snapshotted a volume/, 3);
    const warnings = session.lines.filter(({ level }) => level === "warn").map(({ message }) => message);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /lost.pvc.*no file, while there were some/);
  });

  test("a volume in whose place another folder is made while restic reads it is no snapshot", async () => {
    const volumeId = await rig.addVolume("vanishing/pvc", { a: "a", b: "b" });
    const before = await rig.countSnapshots();
    const resticPath = await rig.standIn(
      "vanishing",
      `case " $* " in *' ./pvc '*) rm -rf '${volumeId}'; mkdir '${volumeId}';; esac\nexec "$RESTIC" "$@"`,
    );
    const snapshotter = await rig.open({ config: { resticPath } });

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: "", tags }));
    assert.equal(error.kind, "conflict");
    assert.match(error.message, /its folder was replaced, moved or unmounted meanwhile/);
    assert.equal(await rig.countSnapshots(), before);
  });
});

async function emptyFile(path: string): Promise<string> {
  await writeFile(path, "");
  return path;
}
