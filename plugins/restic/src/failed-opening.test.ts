import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseConfig, silentLogger } from "@flotilla/sdk/plugin";
import type { OpenContext } from "@flotilla/sdk/plugin";
import { objectStoreConfig } from "./config.ts";
import { openObjectStore } from "./object-store.ts";
import { volumeSnapshotterConfig } from "./volume-config.ts";
import { openVolumeSnapshotter } from "./volume-snapshotter.ts";

// Node ends a process in which an open file is collected as garbage, with every other location in it.
const folder = mkdtempSync(join(tmpdir(), "restic-opening-"));
after(() => rmSync(folder, { recursive: true }));

const context: OpenContext = {
  log: silentLogger,
  env: { VELERO_SCRATCH_DIR: folder, PATH: process.env["PATH"] },
  signal: new AbortController().signal,
};
const credentialsFile = write("cloud", "RESTIC_PASSWORD=secret\n", 0o600);
const restic = write("restic", "#!/bin/sh\necho restic 0.18.1 compiled with go on linux/amd64\n", 0o700);
const repository = join(folder, "repository");

function write(name: string, text: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** Files that this process holds open below the folder, whether they still have a name or not. */
function heldFiles(): readonly string[] {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      // The one that lists this folder is closed by now.
      return [];
    }
  });
}

const skip = process.platform === "linux" ? false : "open files are read from /proc";
const objects = { bucket: "b", repository, credentialsFile };
for (const [what, config] of [
  ["no restic", { ...objects, resticPath: join(folder, "none") }],
  ["a restic that cannot run", { ...objects, resticPath: write("broken", "#!/nonexistent\n", 0o700) }],
  [
    "a folder for the cache that cannot be made",
    { ...objects, resticPath: restic, cacheFolder: join(restic, "cache") },
  ],
] as const)
  test(`a location that is not opened for ${what} holds its password no longer`, { skip }, async () => {
    await assert.rejects(openObjectStore(parseConfig(objectStoreConfig, config), context));

    assert.deepEqual(heldFiles(), []);
  });

test("a volume location whose second repository is refused holds no password either", { skip }, async () => {
  const config = { repository, credentialsFile, resticPath: restic, volumeRoot: folder, copyToRepository: repository };

  await assert.rejects(
    openVolumeSnapshotter(parseConfig(volumeSnapshotterConfig, config), context),
    /is the location's own repository/,
  );

  assert.deepEqual(heldFiles(), []);
});
