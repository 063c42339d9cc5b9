import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { isKind } from "@flotilla/sdk/plugin";
import type { PluginErrorKind } from "@flotilla/sdk/plugin";
import { VolumeFolder } from "./volume-folder.ts";

let scratch = "";
let root = "";

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "volume-folder-"));
  root = join(scratch, "volumes");
  await mkdir(join(root, "nfs", "pvc-1"), { recursive: true });
  await mkdir(join(scratch, "outside", "pvc-1"), { recursive: true });
});

afterEach(async () => {
  await rm(scratch, { recursive: true, force: true });
});

async function refusal(folder: string, kind: PluginErrorKind, words: RegExp): Promise<void> {
  await assert.rejects(
    VolumeFolder.open({ root, folder }),
    (error) => isKind(error, kind) && words.test(error.message),
  );
}

test("a folder that is a symbolic link is refused, wherever it leads", async () => {
  await symlink("../../outside/pvc-1", join(root, "nfs", "pvc-2"));
  await symlink("pvc-1", join(root, "nfs", "pvc-3"));

  await refusal("nfs/pvc-2", "invalid-argument", /pvc-2 is a symbolic link/);
  await refusal("nfs/pvc-3", "invalid-argument", /pvc-3 is a symbolic link/);
});

test("a folder behind a symbolic link is refused, and the link is named", async () => {
  await symlink(join(scratch, "outside"), join(root, "linked"));

  await refusal("linked/pvc-1", "invalid-argument", /volumes\/linked is a symbolic link/);
});

test("a folder that is not there is not found, a file is refused, and a missing root says what to mount", async () => {
  await writeFile(join(root, "file"), "x");

  await refusal("nfs/pvc-9", "not-found", /not found/);
  await refusal("gone/pvc-9", "not-found", /not found/);
  await refusal("file", "invalid-argument", /no folder/);
  await refusal("file/pvc-9", "invalid-argument", /no folder/);
  const elsewhere = VolumeFolder.open({ root: join(scratch, "none"), folder: "a" });
  await assert.rejects(elsewhere, (error) => isKind(error, "unavailable") && /volumeRoot/.test(error.message));
});

test("a folder that climbs out of the root is refused, however it is written", async () => {
  for (const folder of ["../outside/pvc-1", "nfs/../../outside/pvc-1", "/outside", "nfs//pvc-1", "nfs/./pvc-1", ".."])
    await refusal(folder, "invalid-argument", /is refused|symbolic link/);
});

test("the root itself may be a symbolic link: the administrator chose it", async () => {
  await symlink(root, join(scratch, "mounted"));

  await using volume = await VolumeFolder.open({ root: join(scratch, "mounted"), folder: "nfs/pvc-1" });

  assert.equal(volume.shown, join(scratch, "mounted/nfs/pvc-1"));
});

test("a parent that is replaced by a link after it was opened does not lead a child process elsewhere", async () => {
  await writeFile(join(root, "nfs", "pvc-1", "mine"), "");
  await writeFile(join(scratch, "outside", "pvc-1", "theirs"), "");
  await using volume = await VolumeFolder.open({ root, folder: "nfs/pvc-1" });

  await rename(join(root, "nfs"), join(root, "moved"));
  await symlink(join(scratch, "outside"), join(root, "nfs"));
  const seen = execFileSync("ls", ["./pvc-1"], { cwd: volume.parent.path, encoding: "utf8" });

  assert.equal(seen, "mine\n");
  await assert.rejects(volume.parent.requireInPlace(), (error) => isKind(error, "conflict"));
});

test("a folder that is replaced while it is read is told apart from the one that was found", async () => {
  await using volume = await VolumeFolder.open({ root, folder: "nfs/pvc-1" });
  await volume.requireSame();

  await rename(join(root, "nfs", "pvc-1"), join(root, "nfs", "old"));
  await mkdir(join(root, "nfs", "pvc-1"));

  await assert.rejects(volume.requireSame(), (error) => isKind(error, "conflict") && /replaced/.test(error.message));
});

test("a folder on the file system of its parent is no mount point", async () => {
  await using volume = await VolumeFolder.open({ root, folder: "nfs/pvc-1" });

  assert.equal(await volume.isMountPoint(), false);
});
