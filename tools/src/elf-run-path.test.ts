import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { neededLibraries, readElf } from "./elf-file.ts";
import { readRunPath, withRunPath } from "./elf-run-path.ts";
import { compareVersions, newestNeed } from "./elf-version-needs.ts";
import { stripSections } from "./strip-sections.ts";

// The executable that runs this test is the kind of file that the build changes.
const nodeBinary = readFileSync(process.execPath);
const stripped = stripSections(nodeBinary);
const scratch = mkdtempSync(join(tmpdir(), "elf-"));
after(() => rmSync(scratch, { recursive: true }));

test("what is not a 64-bit ELF executable is refused", () => {
  assert.throws(() => readElf(Buffer.from("#!/bin/sh\n")), /not an ELF file/);
  assert.throws(() => readElf(Buffer.concat([Buffer.from("\x7fELF\x01\x01"), Buffer.alloc(64)])), /not a 64-bit/);
});

test("a second run path is refused", () => {
  const once = withRunPath(stripped, "$ORIGIN/a.lib");

  assert.throws(() => withRunPath(once, "$ORIGIN/b.lib"), /already has a run path/);
});

test("a run path longer than every name is refused", () => {
  assert.throws(() => withRunPath(stripped, "x".repeat(100_000)), /no exported name can make room/);
});

test("the run path is the one thing that changes, and the input stays as it was", () => {
  const before = Buffer.from(stripped.subarray(0, 4096));

  const changed = readElf(withRunPath(stripped, "$ORIGIN/a.lib"));

  assert.equal(readRunPath(changed), "$ORIGIN/a.lib");
  assert.deepEqual(neededLibraries(changed), neededLibraries(readElf(nodeBinary)));
  assert.equal(newestNeed(changed, "GLIBC"), newestNeed(readElf(nodeBinary), "GLIBC"));
  assert.equal(changed.bytes.length, stripped.length);
  assert.deepEqual(stripped.subarray(0, 4096), before);
});

test("a stripped executable with a run path still starts", () => {
  const path = writeExecutable("changed", withRunPath(stripped, "$ORIGIN/a.lib"));

  assert.equal(execFileSync(path, ["--print", "process.version"], { encoding: "utf8" }).trim(), process.version);
});

test("the loader looks into the run path before LD_LIBRARY_PATH", () => {
  const path = writeExecutable("traced", withRunPath(stripped, "$ORIGIN/a.lib"));
  const env = { LD_DEBUG: "libs", LD_LIBRARY_PATH: "/elsewhere" };

  const { stderr } = spawnSync(path, ["--version"], { env, encoding: "utf8" });

  const first = stderr.split("\n").find((line) => line.includes("trying file="));
  assert.match(first ?? "", new RegExp(`${scratch}/a\\.lib/`));
});

test("stripping removes what is not mapped and keeps the headers of what is", () => {
  assert.ok(stripped.length < nodeBinary.length);
  assert.deepEqual(readElf(stripped).segments, readElf(nodeBinary).segments);
  assert.deepEqual(stripSections(stripped).length, stripped.length);
});

test("versions are ordered by number", () => {
  assert.deepEqual(["2.28", "2.9", "2.2.5"].toSorted(compareVersions), ["2.2.5", "2.9", "2.28"]);
});

function writeExecutable(name: string, bytes: Buffer): string {
  const path = join(scratch, name);
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
  return path;
}
