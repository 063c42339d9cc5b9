import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { link, lstat, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { toldLines } from "../wire/told-lines.ts";
import { needsRestic, startVolumeRig, treeOf } from "./volume-rig.ts";
import type { VolumeRig } from "./volume-rig.ts";

const anyType = { volumeType: "folder", volumeAz: "", iops: undefined };
const tags = { "velero.io/backup": "nightly" };
// Mounting a file system needs CAP_SYS_ADMIN, which a container's superuser may lack.
const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile("/proc/self/status", "utf8").catch(() => ""))?.[1] ?? "0";
const canMount = ((BigInt(`0x${mask}`) >> 21n) & 1n) === 1n;
const mounting = { skip: canMount ? false : "needs CAP_SYS_ADMIN to mount a file system" };

let rig: VolumeRig;

/** The names in a folder of the root. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(join(rig.root, folder))).sort();
}

describe("what goes wrong with volumes", { ...needsRestic, timeout: 600_000 }, () => {
  before(async () => {
    rig = await startVolumeRig();
  });
  after(() => rig.close());

  test("a volume that is gone is not found, and one that is no folder is refused", async () => {
    const snapshotter = await rig.open();
    await writeFile(join(rig.root, "file"), "x");

    for (const [name, kind, named] of [
      ["gone", "not-found", "gone"],
      ["gone/deeper", "not-found", "gone"],
      ["file", "invalid-argument", "file"],
    ] as const) {
      const volumeId = join(rig.root, name);
      const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: "", tags }));
      assert.equal(error.kind, kind);
      assert.ok(error.message.includes(`${join(rig.root, named)}: `), error.message);
    }
  });

  test("nothing outside the root is read: not by another root, not by .., not by a symbolic link", async () => {
    const snapshotter = await rig.open();
    await mkdir(join(rig.folder, "outside/secrets"), { recursive: true });
    await symlink(join(rig.folder, "outside"), join(rig.root, "link"));
    await symlink(join(rig.folder, "outside/secrets"), join(rig.root, "direct"));
    const before = await rig.countSnapshots();

    for (const [volumeId, kind] of [
      [join(rig.folder, "outside/secrets"), "not-found"],
      [`${rig.root}/../outside/secrets`, "invalid-argument"],
      [rig.root, "not-found"],
      [`${rig.root}/`, "invalid-argument"],
      [join(rig.root, "link/secrets"), "invalid-argument"],
      [join(rig.root, "direct"), "invalid-argument"],
    ] as const) {
      const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: "", tags }));
      assert.equal(error.kind, kind, `${volumeId}: ${error.message}`);
    }
    assert.equal(await rig.countSnapshots(), before);
  });

  test("a restore does not follow a parent that became a symbolic link", async () => {
    const snapshotter = await rig.open();
    const volumeId = await rig.addVolume("moving/pvc");
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    await mkdir(join(rig.folder, "trap"));
    await rename(join(rig.root, "moving"), join(rig.root, "moved"));
    await symlink(join(rig.folder, "trap"), join(rig.root, "moving"));

    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType }));

    assert.equal(error.kind, "invalid-argument");
    assert.match(error.message, /symbolic link/);
    assert.deepEqual(await readdir(join(rig.folder, "trap")), []);
  });

  test("a snapshot that others made to hold a link in the volume's place is refused", async () => {
    const snapshotter = await rig.open();
    const volumeId = await rig.addVolume("forged/pvc");
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    const forged = join(rig.folder, "forged");
    await mkdir(forged);
    await symlink("/etc", join(forged, "pvc"));
    const own = ["--tag", `flotilla.io/volume-snapshot=forged`, "--tag", "flotilla.io/volume-folder=forged/pvc"];
    const resticIn = (...args: readonly string[]): string =>
      execFileSync(rig.restic, [...args, "--repo", rig.repository, "--password-file", rig.passwordFile, "--no-cache"], {
        cwd: forged,
        encoding: "utf8",
      });
    resticIn("backup", "./pvc", ...own);
    resticIn("backup", "./pvc", "--tag", "flotilla.io/volume-complete=forged");

    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ snapshotId: "forged", ...anyType }));

    assert.equal(error.kind, "corrupt");
    assert.deepEqual(await namesIn("forged"), ["pvc"]);
    assert.equal((await snapshotter.describeSnapshot(snapshotId)).state, "completed");
  });

  test("a restore whose parent is not mounted says so and makes no folder in its place", async () => {
    const snapshotter = await rig.open();
    const volumeId = await rig.addVolume("unmounted/pvc");
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    await rm(join(rig.root, "unmounted"), { recursive: true });

    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType }));

    assert.match(error.message, /unmounted.*mounted in the server's pod/);
    await assert.rejects(lstat(join(rig.root, "unmounted")));
  });

  test("a location without a root, with a relative one, or with an unknown key is refused", async () => {
    for (const [config, words] of [
      [{ volumeRoot: "" }, /volumeRoot is missing/],
      [{ volumeRoot: "volumes" }, /does not begin with a slash/],
      [{ volumeRoot: "/" }, /whole file system/],
      [{ volumePaths: "nfs" }, /SOURCE=FOLDER/],
      [{ restoreFolder: "../x" }, /restoreFolder.*"\.\."/],
    ] as const) {
      const error = await failureOf(rig.open({ config }));
      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, words);
    }
  });

  test("a wrong password and a missing repository are told apart", async () => {
    const volumeId = await rig.addVolume("pvc-1");
    const wrong = join(rig.folder, "wrong-password");
    await writeFile(wrong, "x");
    const wrongly = await rig.open({ config: { passwordFile: wrong } });
    const nowhere = await rig.open({ config: { repository: join(rig.folder, "no-repository") } });

    const denied = await failureOf(wrongly.createSnapshot({ volumeId, volumeAz: "", tags }));
    const missing = await failureOf(nowhere.createSnapshot({ volumeId, volumeAz: "", tags }));

    assert.deepEqual([denied.kind, missing.kind], ["denied", "invalid-config"]);
    assert.doesNotMatch(missing.message, /not found|does not exist/i);
  });

  test("a location of a repository that Velero wrote takes no snapshots", async () => {
    const snapshotter = await rig.open({ config: { writtenBy: "velero" } });
    const volumeId = await rig.addVolume("pvc-2");

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: "", tags }));

    assert.equal(error.kind, "unsupported");
  });

  test("a mark that cannot be read does not make its snapshot one that a deletion clears away", async () => {
    const snapshotter = await rig.open();
    const volumeId = await rig.addVolume("doomed");
    const doomed = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    const old = ["backup", "--time", "2020-01-01 00:00:00", rig.passwordFile];
    await rig.runRestic(...old, "--tag", "flotilla.io/volume-snapshot=old,flotilla.io/volume-folder=a");
    const former = await readdir(join(rig.repository, "snapshots"));
    await rig.runRestic(...old, "--tag", "flotilla.io/volume-complete=old,flotilla.io/volume-bytes=1");
    const [mark] = (await readdir(join(rig.repository, "snapshots"))).filter((name) => !former.includes(name));
    const file = join(rig.repository, "snapshots", mark ?? "");
    const kept = await readFile(file);
    await rm(file);
    await writeFile(file, randomBytes(200));

    // Its own cache, which does not know the mark.
    const other = await rig.open({ config: { cacheFolder: join(rig.root, "..", "empty-cache") } });
    await other.deleteSnapshot(doomed);
    await rm(file);
    await writeFile(file, kept);
    const { state } = await snapshotter.describeSnapshot("old");
    assert.equal(state, "completed");
  });

  test("files that were deleted while restic read the volume do not fail the snapshot", async () => {
    const resticPath = await rig.standIn(
      "vanishing",
      `"$RESTIC" "$@" || exit $?
case "$*" in *--one-file-system*)
  echo '{"message_type":"error","error":{"message":"lstat ./tmp: no such file or directory"},"during":"archival","item":"/tmp"}' >&2
  echo '{"message_type":"error","error":{"Op":"lstat","Path":"./tmp","Err":2},"during":"archival","item":"/tmp"}' >&2
  exit 3;; esac`,
    );
    const session = rig.start();
    const snapshotter = await rig.open({ session, config: { resticPath } });
    const volumeId = await rig.addVolume("pvc-3");

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });

    assert.equal((await snapshotter.describeSnapshot(snapshotId)).state, "completed");
    const told = await toldLines(session, /were deleted while/);
    assert.deepEqual(new Set(told.map(({ level }) => level)), new Set(["info"]));
  });

  test("a restic that fails in silence, or claims success without a snapshot, is no snapshot", async () => {
    const volumeId = await rig.addVolume("pvc-4");
    const before = await rig.countSnapshots();
    for (const lines of [
      'case "$*" in *--one-file-system*) exit 3;; esac; exec "$RESTIC" "$@"',
      'case "$*" in *--one-file-system*) exit 0;; esac; exec "$RESTIC" "$@"',
      '"$RESTIC" "$@" || exit $?; case "$*" in *--one-file-system*) exit 3;; esac',
    ]) {
      const snapshotter = await rig.open({ config: { resticPath: await rig.standIn("lying", lines) } });
      await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: "", tags }));
    }
    assert.equal(await rig.countSnapshots(), before);
  });

  test("a disk that is known to be too small is refused before anything is written", mounting, async () => {
    const snapshotter = await rig.open({ config: { restoreFolder: "small" } });
    await using _ = await smallDisk("small", "size=64k");
    const volumeId = await rig.addVolume("pvc-5", { big: randomBytes(200_000) });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });

    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType }));

    assert.match(error.message, /holds 200000 bytes, and \d+ are free there, fewer than the \d+ that they take/);
    assert.deepEqual(await namesIn("small"), []);
  });

  test("a disk that has room for each file once is enough for one with several names", mounting, async () => {
    const snapshotter = await rig.open({ config: { restoreFolder: "links" } });
    await using _ = await smallDisk("links", "size=400k");
    const volumeId = await rig.addVolume("pvc-7", { a: randomBytes(200_000) });
    for (const name of ["b", "c"]) await link(join(volumeId, "a"), join(volumeId, name));
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });

    const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

    assert.equal((await lstat(join(restored, "a"))).nlink, 3);
  });

  test(
    "a disk that has room for the bytes of a file, not for its holes, is enough for restic 0.15",
    mounting,
    async (t) => {
      if (/ 0\.14\./.test(await rig.runRestic("version"))) return t.skip("this restic writes holes as zeros");
      const snapshotter = await rig.open({ config: { restoreFolder: "holes" } });
      await using _ = await smallDisk("holes", "size=16m");
      const volumeId = await rig.addVolume("pvc-8", { image: randomBytes(200_000) });
      await truncate(join(volumeId, "image"), 64 * 1024 ** 2);
      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });

      const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

      const image = await readFile(join(volumeId, "image"));
      assert.equal(image.equals(await readFile(join(restored, "image"))), true);
    },
  );

  test("a disk that fills up during a restore leaves nothing behind", mounting, async () => {
    const snapshotter = await rig.open({ config: { restoreFolder: "full" } });
    // Room for the bytes, not for the files.
    await using _ = await smallDisk("full", "size=4m,nr_inodes=6");
    const volumeId = await rig.addVolume("pvc-6", Object.fromEntries(Array.from("abcdefghij", (name) => [name, name])));
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });

    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType }));

    assert.match(error.message, /make room/);
    assert.deepEqual(await namesIn("full"), []);
  });

  test("a volume that was a whole file system is not restored beside its mount", mounting, async () => {
    const snapshotter = await rig.open();
    await using _ = await smallDisk("mounted", "size=1m");
    await writeFile(join(rig.root, "mounted/a"), "a");
    const snapshotId = await snapshotter.createSnapshot({ volumeId: join(rig.root, "mounted"), volumeAz: "", tags });

    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /restoreFolder/);
  });

  test("another file system within the volume is not part of it, which is told as a warning", mounting, async () => {
    const session = rig.start();
    const snapshotter = await rig.open({ session });
    const volumeId = await rig.addVolume("outer");
    await using _ = await smallDisk("outer/in ner", "size=1m");
    await writeFile(join(volumeId, "in ner/secret"), "s");

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

    assert.deepEqual(
      (await treeOf(restored)).map((line) => line.split(" ")[0]),
      ["./", "./a.txt", "./in"],
    );
    const warnings = session.lines.filter(({ level }) => level === "warn").map(({ message }) => message);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /outer without the other file systems .*: in ner; .*volumes of its own/);
  });
});

/** A file system of its own below the root. */
async function smallDisk(folder: string, options: string): Promise<AsyncDisposable> {
  const path = join(rig.root, folder);
  await mkdir(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", path]);
  return {
    [Symbol.asyncDispose]: async () => {
      // Whatever still has something open in it does not hold it up.
      execFileSync("umount", ["--lazy", path]);
      await Promise.resolve();
    },
  };
}
