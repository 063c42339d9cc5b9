import assert from "node:assert/strict";
import { lstatSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { CheckList } from "./check-list.ts";
import { neededLibraries, readElf } from "./elf-file.ts";
import { readRunPath } from "./elf-run-path.ts";
import { compareVersions, newestNeed } from "./elf-version-needs.ts";
import { libraryFolderName } from "./executable-name.ts";

// The C library of the oldest server image that Velero's current release is built on.
const imageLibcVersion = "2.35";
const libcFiles = /^(libc|libm|libdl|libpthread|librt|ld-linux-[a-z0-9-]+)\.so\.\d$/;

/** Checks what can be seen in the files of a /plugins folder, without running anything. */
export async function checkFiles(list: CheckList, plugins: string, name: string): Promise<void> {
  const libraries = libraryFolderName(name);
  const executable = readElf(readFileSync(join(plugins, name)));

  await list.check("only the executable has an execute bit, and nothing is a link", () => {
    const files = readdirSync(plugins, { recursive: true, encoding: "utf8" }).map((path) => ({
      path,
      stat: lstatSync(join(plugins, path)),
    }));
    assert.deepEqual(
      files.filter(({ stat }) => stat.isSymbolicLink()).map(({ path }) => path),
      [],
    );
    const started = files.filter(({ stat }) => !stat.isDirectory() && (stat.mode & 0o111) !== 0);
    assert.deepEqual(
      started.map(({ path }) => path),
      [name],
    );
  });

  await list.check(`the executable looks for its libraries in its own folder first`, () => {
    assert.equal(readRunPath(executable), `$ORIGIN/${libraries}`);
  });

  await list.check("every library that is needed is the C library's or lies in that folder", () => {
    const beside = readdirSync(join(plugins, libraries));
    const files = [executable, ...beside.map((file) => readElf(readFileSync(join(plugins, libraries, file))))];
    const missing = files.flatMap(neededLibraries).filter((file) => !libcFiles.test(file) && !beside.includes(file));
    assert.deepEqual(missing, []);
  });

  for (const file of [name, ...readdirSync(join(plugins, libraries)).map((entry) => join(libraries, entry))]) {
    const elf = readElf(readFileSync(join(plugins, file)));
    const newest = newestNeed(elf, "GLIBC") ?? "0";
    await list.check(`${file} (${elf.architecture}) needs no more than GLIBC ${newest}`, () => {
      assert.ok(compareVersions(newest, imageLibcVersion) <= 0, `the server's image has ${imageLibcVersion}`);
    });
  }
}
