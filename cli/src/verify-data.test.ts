import assert from "node:assert/strict";
import { test } from "node:test";

import { configMap, Flotilla } from "./testing/flotilla.ts";

async function withBackup(): Promise<Flotilla> {
  const flotilla = await Flotilla.prepare();
  const from = await flotilla.write({ "a.yaml": configMap });
  const { exitCode, stderr } = await flotilla.run("backup", "create", "one", "--from", from, ...flotilla.location);
  assert.equal(exitCode, 0, stderr);
  return flotilla;
}

const verifying = (what: string, part: string) => ["backup", "verify", what, "--read-data-subset", part];

test("a plugin without a repository cannot read one back: exit code 1, also where the backup is sound", async () => {
  const flotilla = await withBackup();

  const { exitCode, stdout } = await flotilla.run(...verifying("one", "5%"), ...flotilla.location, ...flotilla.volumes);

  assert.equal(exitCode, 1);
  assert.match(stdout, /backup one is sound/);
  assert.match(stdout, /BackupStorageLocation .*cannot read back data of its own/);
  assert.match(stdout, /VolumeSnapshotLocation .*cannot read back data of its own/);
  assert.match(stdout, /NOTHING of a repository was read back/);
});

test("a document for programs says that it is not sound where nothing was read back", async () => {
  const flotilla = await withBackup();

  const { exitCode, stdout } = await flotilla.run(...verifying("--all", "1/10"), ...flotilla.location, "-o", "json");

  // The form is what the test is about.
  const { isSound, data } = JSON.parse(stdout) as { isSound: boolean; data: { severity: string }[] };
  assert.deepEqual([exitCode, isSound, data.map(({ severity }) => severity)], [1, false, ["advice"]]);
});

test("a part that is none is refused with exit code 2 and the forms to give, before anything is read", async () => {
  const flotilla = await Flotilla.prepare();

  for (const part of ["all", "0%", "11/10"]) {
    const { exitCode, stdout, stderr } = await flotilla.run(...verifying("one", part), ...flotilla.location);

    assert.deepEqual([exitCode, stdout], [2, ""]);
    assert.match(stderr, /--read-data-subset.*give 5% or 500M, chosen at random, or 1\/10, one part of ten/);
  }
});
