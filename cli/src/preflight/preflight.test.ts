import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { diskObjectPath } from "../testing/disk-layout.ts";
import { Flotilla } from "../testing/flotilla.ts";
import { veleroSupport } from "./velero-versions.ts";

const flotilla = await Flotilla.prepare();

test("the server's version is judged by its number or its image", () => {
  const states = [
    "v1.18.3",
    "1.16",
    "velero/velero:v1.17.2",
    "r:5000/velero:v1.15.0",
    "v1.11.1",
    "v1.19.0-rc.1",
    "v2.0.0",
  ].map((text) => veleroSupport(text)?.state);

  assert.deepEqual(states, ["tested", "tested", "tested", "expected", "unsupported", "newer", "newer"]);
  assert.equal(veleroSupport("velero/velero:latest"), undefined);
});

test("a server that is too old fails the check, with a remedy, without any location", async () => {
  const { exitCode, stdout } = await flotilla.run("check", "--velero-version", "v1.9.0");

  assert.equal(exitCode, 1);
  assert.match(stdout, /failure +server +Velero v1\.9\.0 +not supported +upgrade the server to 1\.16 or newer/);
});

test("a version that cannot be read is refused in words", async () => {
  const { exitCode, stderr } = await flotilla.run("check", "--velero-version", "latest");

  assert.equal(exitCode, 2);
  assert.match(stderr, /give it as v1\.18\.3/);
});

test("the check measures how long the store takes to answer", async () => {
  const { stdout } = await flotilla.run("check", ...flotilla.location);

  assert.match(stdout, /(ok|advice) +BackupStorageLocation +latency +\d+ ms to an answer, the median of 5/);
});

test("folders for which the server would not take the location are named, and its own are not", async () => {
  const own = ["backups/one/velero-backup.json", "kopia/shop/kopia.repository", "restores/back/back-results.gz"];
  const foreign = ["terraform/state.json", "team-b/backups/two/velero-backup.json"];
  await mkdir(join(flotilla.store, "b"), { recursive: true });
  for (const key of [...own, ...foreign, "a-file-beside-them"])
    await writeFile(diskObjectPath(flotilla.store, "b", `shared/${key}`), "");
  const check = async (prefix: string) => await flotilla.run("check", ...flotilla.location, "--prefix", prefix);

  const [mixed, clean] = [await check("shared"), await check("shared/team-b")];

  assert.equal(mixed.exitCode, 1);
  assert.match(mixed.stdout, /failure +BackupStorageLocation +top level +below "shared\/" there are team-b, terraform/);
  assert.equal(clean.exitCode, 0);
  assert.match(clean.stdout, /ok +BackupStorageLocation +top level +only what the server keeps there/);
});

test("a location that cannot be opened is told once, without a latency", async () => {
  const { exitCode, stdout } = await flotilla.run("check", ...flotilla.location, "--config", "unknown=x");

  assert.equal(exitCode, 1);
  assert.doesNotMatch(stdout, /latency/);
});
