import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { crc32, gzipSync } from "node:zlib";

import { diskObjectPath } from "./testing/disk-layout.ts";
import { configMap, Flotilla, persistentVolume } from "./testing/flotilla.ts";
import type { Run } from "./testing/flotilla.ts";

interface Verified {
  readonly isSound: boolean;
  readonly phase: string;
  readonly objects: readonly { readonly key: string; readonly status: string; readonly detail: string }[];
}

interface Stored {
  readonly flotilla: Flotilla;
  readonly path: (backup: string, file: string) => string;
  readonly put: (file: string, bytes: Buffer | string) => Promise<void>;
  readonly verify: (...words: readonly string[]) => Promise<Run>;
}

/** Two sound backups, `one` and `two`. */
async function stored(): Promise<Stored> {
  const flotilla = await Flotilla.prepare();
  const from = await flotilla.write({ "a.yaml": configMap, "b.yaml": persistentVolume });
  for (const name of ["one", "two"]) {
    const words = ["backup", "create", name, "--from", from, ...flotilla.location, ...flotilla.volumes];
    const { exitCode, stderr } = await flotilla.run(...words);
    assert.equal(exitCode, 0, stderr);
  }
  const path = (backup: string, file: string) =>
    diskObjectPath(flotilla.store, "b", `p/backups/${backup}/${file.replace("NAME", backup)}`);
  return {
    flotilla,
    path,
    put: async (file, bytes) => {
      await writeFile(path("one", file), bytes);
      await writeFile(`${path("one", file)}.crc`, String(crc32(bytes)));
    },
    verify: async (...words) =>
      await flotilla.run("backup", "verify", "one", ...words, ...flotilla.location, ...flotilla.volumes),
  };
}

async function faults({ verify }: Stored): Promise<readonly string[]> {
  const { exitCode, stdout } = await verify("-o", "json");
  // The form is what the test is about.
  const { isSound, objects } = JSON.parse(stdout) as Verified;
  assert.deepEqual([exitCode, isSound], [1, false]);
  return objects.filter(({ status }) => status !== "ok").map(({ key, status, detail }) => `${key} ${status} ${detail}`);
}

for (const [file, pattern] of [
  ["velero-backup.json", /one\/velero-backup\.json corrupt it is of another backup: "two"/],
  ["NAME-volumesnapshots.json.gz", /one-volumesnapshots\.json\.gz corrupt it is of another backup: "two"/],
] as const) {
  test(`another backup's ${file} in its place is found, although it is whole`, async () => {
    const backups = await stored();
    await backups.put(file, await readFile(backups.path("two", file)));

    const [fault = "", ...others] = await faults(backups);

    assert.match(fault, pattern);
    assert.deepEqual(others, []);
  });
}

test("another backup's records of pod volumes are found, since their files would be restored", async () => {
  const backups = await stored();
  const record = { spec: { tags: { backup: "two", pod: "db-0" }, volume: "data" } };
  await backups.put("NAME-podvolumebackups.json.gz", gzipSync(JSON.stringify([record])));

  const [fault = "", ...others] = await faults(backups);

  assert.match(fault, /one-podvolumebackups\.json\.gz corrupt it is of another backup: "two"/);
  assert.deepEqual(others, []);
});

for (const file of ["NAME-volumesnapshots.json.gz", "NAME-podvolumebackups.json.gz"]) {
  test(`a lost ${file} is missing: the server would restore without the volumes and say nothing`, async () => {
    const backups = await stored();
    await rm(backups.path("one", file));

    const [fault = "", ...others] = await faults(backups);

    assert.match(fault, new RegExp(`${file.replace("NAME", "one")} missing`));
    assert.deepEqual(others, []);
  });
}

test("a tarball that is whole and holds no backup is corrupt", async () => {
  const backups = await stored();
  await backups.put("NAME.tar.gz", gzipSync(Buffer.alloc(1024)));

  const [fault = ""] = await faults(backups);

  assert.match(fault, /one\.tar\.gz corrupt the tarball holds no metadata\/version/);
});

test("a record that names fewer snapshots than the backup made is corrupt", async () => {
  const backups = await stored();
  await backups.put("NAME-volumesnapshots.json.gz", gzipSync("[]"));

  const [fault = ""] = await faults(backups);

  assert.match(fault, /corrupt .*names 0 snapshots, and the backup made 1/);
});

test("a record that is JSON and no list of snapshots is a verdict, and the others are told all the same", async () => {
  const backups = await stored();
  await backups.put("NAME-volumesnapshots.json.gz", gzipSync("{}"));

  const [fault = "", ...others] = await faults(backups);

  assert.match(fault, /one-volumesnapshots\.json\.gz corrupt .*is not a list of snapshots/);
  assert.deepEqual(others, []);
});

test("a backup that the server is not done with is not sound, and one that failed in part is told", async () => {
  const backups = await stored();
  const metadata = await readFile(backups.path("one", "velero-backup.json"), "utf8");

  await backups.put("velero-backup.json", metadata.replace('"Completed"', '"WaitingForPluginOperations"'));
  const unfinished = await backups.verify();
  const all = await backups.flotilla.run("backup", "verify", "--all", ...backups.flotilla.location, "-o", "json");
  await backups.put("velero-backup.json", metadata.replace('"Completed"', '"PartiallyFailed"'));
  const partial = await backups.verify();

  assert.equal(unfinished.exitCode, 1);
  assert.match(unfinished.stdout, /backup one is NOT FINISHED \(its phase is WaitingForPluginOperations\)/);
  const document = JSON.parse(all.stdout) as { isSound: boolean; backups: Verified[] };
  assert.deepEqual([document.isSound, document.backups.map(({ isSound }) => isSound)], [false, [false, true]]);
  assert.equal(partial.exitCode, 0, partial.stdout);
  assert.match(
    partial.stdout,
    /backup one is sound; its phase is PartiallyFailed: the server did not back up everything/,
  );
});

test("the newest backup is the newest that the server is done with, unless it has been at another for a day", async () => {
  const backups = await stored();
  const metadata = await readFile(backups.path("one", "velero-backup.json"), "utf8");
  const newestWhenOneBegan = async (startedAt: number, count: string): Promise<Run> => {
    const { status, ...object } = JSON.parse(metadata) as { status: object };
    const running = { phase: "Finalizing", startTimestamp: new Date(startedAt).toISOString() };
    await backups.put("velero-backup.json", JSON.stringify({ ...object, status: { ...status, ...running } }));
    return await backups.flotilla.run("backup", "verify", "--newest", count, ...backups.flotilla.location);
  };

  const tonight = await newestWhenOneBegan(Date.now() + 60_000, "1");
  const stuck = await newestWhenOneBegan(Date.now() - 2 * 86_400_000, "2");

  assert.equal(tonight.exitCode, 0, tonight.stdout);
  assert.match(tonight.stdout, /backup two is sound/);
  assert.match(tonight.stderr, /backup one is under way \(its phase is Finalizing\): passed over/);
  assert.equal(stuck.exitCode, 1);
  assert.match(stuck.stdout, /backup one is NOT FINISHED/);
});

test("volumes that were not looked at are said, and not taken for sound", async () => {
  const backups = await stored();
  const methods = [{ backupMethod: "PodVolumeBackup" }, { backupMethod: "CSISnapshot", snapshotDataMoved: true }];
  await backups.put("NAME-volumeinfo.json.gz", gzipSync(JSON.stringify(methods)));
  const { flotilla } = backups;

  const { exitCode, stdout } = await flotilla.run("backup", "verify", "one", ...flotilla.location);

  assert.equal(exitCode, 0, stdout);
  assert.match(
    stdout,
    /backup one is sound; 1 of its snapshots were NOT ASKED FOR; volumes that no plugin sees were NOT READ \(file-system backups: 1, volumes in the data mover's repository: 1\)/,
  );
});

test("what has lost its records is not copied, since the copy would look whole", async () => {
  const { flotilla, path, put } = await stored();
  await rm(path("one", "NAME-podvolumebackups.json.gz"));
  const location = (folder: string): string =>
    JSON.stringify({
      kind: "BackupStorageLocation",
      spec: { provider: "disk", objectStorage: { bucket: "b", prefix: "p" }, config: { folder } },
    });
  const files = await flotilla.write({
    "from.yaml": location(flotilla.store),
    "to.yaml": location(`${flotilla.folder}/copy`),
  });
  const sides = ["--from", `${files}/from.yaml`, "--to", `${files}/to.yaml`, "--plugin", flotilla.plugin];

  const fresh = await flotilla.run("backup", "copy", "--all", ...sides);
  const metadata = await readFile(path("one", "velero-backup.json"), "utf8");
  await put("velero-backup.json", metadata.replace(/("completionTimestamp": ?")[^"]+/, "$12026-01-01T00:00:00Z"));
  const old = await flotilla.run("backup", "copy", "--all", ...sides);

  // The server stores the metadata first, which call it complete.
  assert.equal(fresh.exitCode, 0, fresh.stdout);
  assert.match(
    fresh.stdout,
    /one +unfinished .*it lacks one-podvolumebackups\.json\.gz, which the server may be storing/,
  );
  assert.match(fresh.stdout, /two +copied/);
  assert.equal(old.exitCode, 1);
  assert.match(old.stdout, /one +failed .*has lost one-podvolumebackups\.json\.gz: it cannot be restored as it was/);
});

test("a backup whose record of its snapshots is lost is not deleted, since they would stay for good", async () => {
  const { flotilla, path } = await stored();
  await rm(path("one", "NAME-volumesnapshots.json.gz"));
  const words = ["backup", "delete", "one", "--yes", ...flotilla.location, ...flotilla.volumes];

  const refused = await flotilla.run(...words);
  const deleted = await flotilla.run(...words, "--keep-snapshots");

  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /backup one made 1 snapshots, and its record names 0 of them: nothing was deleted/);
  assert.equal(deleted.exitCode, 0, deleted.stderr);
});
