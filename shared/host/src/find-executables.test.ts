import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { silentLogger } from "@flotilla/sdk/plugin";

import { findExecutables } from "./find-executables.ts";
import { freshFolder, writeScript } from "./testing/raw-launcher.ts";

test("a missing folder holds no plugins", async () => {
  assert.deepEqual(await findExecutables(join(await freshFolder(), "nowhere")), []);
});

test("a file in the folder's place is an error", async () => {
  const script = await writeScript(await freshFolder(), "file", "exit 0");

  await assert.rejects(findExecutables(script), { code: "ENOTDIR" });
});

test("executables are found recursively, in name order", async () => {
  const folder = await freshFolder();
  for (const name of ["b", "a/z", "a/B", "C"]) await writeScript(folder, name, "exit 0");

  const found = await findExecutables(folder);

  assert.deepEqual(
    found,
    ["C", "a/B", "a/z", "b"].map((name) => join(folder, name)),
  );
});

test("a file without any execute bit is skipped with a warning that names it", async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, "libfoo.so"), "");
  await writeFile(join(folder, "tool.EXE"), "");
  const skipped: unknown[] = [];

  const found = await findExecutables(folder, {
    ...silentLogger,
    warn: (_message, fields) => skipped.push(fields?.["path"]),
  });

  assert.deepEqual(found, [join(folder, "tool.EXE")]);
  assert.deepEqual(skipped, [join(folder, "libfoo.so")]);
});

test("one execute bit of any kind makes a plugin", async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, "for-others"), "");
  await chmod(join(folder, "for-others"), 0o601);

  assert.deepEqual(await findExecutables(folder), [join(folder, "for-others")]);
});

test("a symbolic link counts as an executable, and one to a folder is not descended", async () => {
  const folder = await freshFolder();
  await mkdir(join(folder, "..", "elsewhere"), { recursive: true });
  await symlink(join(folder, ".."), join(folder, "loop"));

  assert.deepEqual(await findExecutables(folder), [join(folder, "loop")]);
});
