import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { crc32, gunzipSync } from "node:zlib";

import { diskObjectPath } from "./testing/disk-layout.ts";
import { configMap, Flotilla, persistentVolume } from "./testing/flotilla.ts";

const key = (name: string) => `p/backups/one/${name}`;

async function withBackup(flotilla: Flotilla) {
  const from = await flotilla.write({ "a.yaml": configMap, "b.yml": persistentVolume });
  const created = await flotilla.run(
    "backup",
    "create",
    "one",
    "--from",
    from,
    ...flotilla.location,
    ...flotilla.volumes,
  );
  assert.equal(created.exitCode, 0, created.stderr);
  return from;
}

test("a missing --from is refused with exit code 2", async () => {
  const flotilla = await Flotilla.prepare();

  const { exitCode, stderr } = await flotilla.run("backup", "create", "one", ...flotilla.location);

  assert.equal(exitCode, 2);
  assert.match(stderr, /required option '--from <path>' not specified/);
});

test("a missing bucket is refused with what to give", async () => {
  const flotilla = await Flotilla.prepare();

  const { exitCode, stderr } = await flotilla.run("backup", "list", "--plugin", flotilla.plugin);

  assert.equal(exitCode, 2);
  assert.match(stderr, /no bucket given: add --bucket NAME, or --location FILE/);
});

test("a plugin that does not exist is refused", async () => {
  const flotilla = await Flotilla.prepare();

  const { exitCode, stderr } = await flotilla.run("plugin", "list", "--plugin", "/nowhere");

  assert.equal(exitCode, 2);
  assert.match(stderr, /--plugin \/nowhere does not exist/);
});

test("broken YAML is refused with its file, and nothing is stored", async () => {
  const flotilla = await Flotilla.prepare();
  const from = await flotilla.write({ "bad.yaml": "a: [1" });

  const { exitCode, stderr } = await flotilla.run("backup", "create", "one", "--from", from, ...flotilla.location);

  assert.equal(exitCode, 2);
  assert.match(stderr, /bad\.yaml cannot be read as YAML/);
  assert.equal(existsSync(flotilla.store), false);
});

test("a file that is no Velero tarball is refused", async () => {
  const flotilla = await Flotilla.prepare();
  const from = join(await flotilla.write({ "x.tar.gz": "not gzip at all" }), "x.tar.gz");

  const { exitCode, stderr } = await flotilla.run("backup", "create", "one", "--from", from, ...flotilla.location);

  assert.equal(exitCode, 2);
  assert.match(stderr, /neither a folder of manifests nor a whole Velero backup tarball/);
});

test("a backup name that Kubernetes would refuse is refused", async () => {
  const flotilla = await Flotilla.prepare();
  const from = await flotilla.write({ "a.yaml": configMap });

  const { exitCode, stderr } = await flotilla.run("backup", "create", "../x", "--from", from, ...flotilla.location);

  assert.equal(exitCode, 2);
  assert.match(stderr, /backup name "\.\.\/x" is invalid/);
});

test("an existing backup is not overwritten", async () => {
  const flotilla = await Flotilla.prepare();
  const from = await withBackup(flotilla);

  const { exitCode, stderr } = await flotilla.run("backup", "create", "one", "--from", from, ...flotilla.location);

  assert.equal(exitCode, 1);
  assert.match(stderr, /backup already exists in object storage/);
});

test("when the contents cannot be stored, neither metadata nor snapshots stay behind", async () => {
  const flotilla = await Flotilla.prepare();
  const from = await flotilla.write({ "a.yaml": configMap, "b.yaml": persistentVolume });
  const location = [...flotilla.location, "--config", "fault=put-contents"];

  const { exitCode, stderr } = await flotilla.run(
    "backup",
    "create",
    "one",
    "--from",
    from,
    ...location,
    ...flotilla.volumes,
  );

  assert.equal(exitCode, 1);
  assert.match(stderr, /error: put object "p\/backups\/one\/one\.tar\.gz": access denied/);
  assert.deepEqual(await readdir(join(flotilla.store, "b")), []);
  assert.deepEqual(await readdir(join(flotilla.store, "snapshots")), []);
});

test("a plugin that dies is reported with its exit code, as text and as JSON", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);
  const location = [...flotilla.location, "--config", "fault=crash-on-get"];

  const { exitCode, stdout, stderr } = await flotilla.run("backup", "download", "one", "-o", "json", ...location);

  assert.equal(exitCode, 1);
  assert.match(stderr, /exited with code 7/);
  assert.equal((JSON.parse(stdout) as { error: { kind: string } }).error.kind, "unavailable");
  assert.equal(existsSync(join(flotilla.folder, "one")), false);
});

test("a flipped bit is found and named by verify, which fails", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);
  const path = diskObjectPath(flotilla.store, "b", key("one.tar.gz"));
  const bytes = await readFile(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(path, bytes);

  const { exitCode, stdout } = await flotilla.run(
    "verify",
    "backup",
    "one",
    "-o",
    "json",
    ...flotilla.location,
    ...flotilla.volumes,
  );

  const verdict = JSON.parse(stdout) as {
    isSound: boolean;
    objects: { key: string; status: string; detail: string }[];
  };
  const [bad, ...others] = verdict.objects.filter(({ status }) => status !== "ok");
  assert.equal(exitCode, 1);
  assert.equal(verdict.isSound, false);
  assert.deepEqual(others, []);
  assert.equal(bad?.key, key("one.tar.gz"));
  assert.match(bad?.detail ?? "", /differ from the recorded crc32/);
});

test("a corrupt object is not downloaded, and no file is left", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);
  await writeFile(`${diskObjectPath(flotilla.store, "b", key("one.tar.gz"))}.crc`, "1");

  const { exitCode, stderr } = await flotilla.run("download", "backup", "one", "--to", "got", ...flotilla.location);

  assert.equal(exitCode, 1);
  assert.match(stderr, /differ from the recorded crc32/);
  assert.deepEqual(
    (await readdir(flotilla.folder)).filter((name) => name.includes("got")),
    [],
  );
});

test("what is left of a backup is downloaded, and what it lacks is said with exit code 1", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);
  await rm(diskObjectPath(flotilla.store, "b", key("one.tar.gz")));

  const { exitCode, stdout } = await flotilla.run("download", "backup", "one", "--to", "got", ...flotilla.location);

  assert.equal(exitCode, 1);
  assert.match(stdout, /downloaded to .*got, but it LACKS one\.tar\.gz: it cannot be restored as it was/);
  assert.ok(existsSync(join(flotilla.folder, "got", "velero-backup.json")));
});

test("a structure that is broken under a right checksum is corrupt too", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);
  const path = diskObjectPath(flotilla.store, "b", key("one-resource-list.json.gz"));
  await writeFile(path, "no gzip");
  await writeFile(`${path}.crc`, String(crc32("no gzip")));

  const { exitCode, stdout } = await flotilla.run("verify", "backup", "one", ...flotilla.location, ...flotilla.volumes);

  assert.equal(exitCode, 1);
  assert.match(stdout, /one-resource-list\.json\.gz +corrupt/);
});

test("a lost contents object and a lost snapshot are missing", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);
  await rm(diskObjectPath(flotilla.store, "b", key("one.tar.gz")));
  await rm(join(flotilla.store, "snapshots", "snap-of-vol-1"));

  const { exitCode, stdout } = await flotilla.run("verify", "backup", "one", ...flotilla.location, ...flotilla.volumes);

  assert.equal(exitCode, 1);
  assert.match(stdout, /one\.tar\.gz +missing/);
  assert.match(stdout, /snap-of-vol-1 +missing/);
});

test("a snapshot that is not completed is a fault, with the way to wait for it", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);
  await writeFile(join(flotilla.store, "snapshots", "snap-of-vol-1"), "pending");

  const { exitCode, stdout } = await flotilla.run("verify", "backup", "one", ...flotilla.location, ...flotilla.volumes);

  assert.equal(exitCode, 1);
  assert.match(stdout, /snap-of-vol-1 +pending .*50 % done: verify again later, or add --wait/);
});

test("a backup whose snapshots nobody asked for is not called sound without a word about them", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);

  const { exitCode, stdout } = await flotilla.run("verify", "backup", "one", ...flotilla.location);

  assert.equal(exitCode, 0);
  assert.match(stdout, /backup one is sound; 1 of its snapshots were NOT ASKED FOR/);
  assert.match(stdout, /add --volume-config or --volume-location/);
});

test("a folder that is there already is left alone", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);
  await mkdir(join(flotilla.folder, "mine"));

  const { exitCode, stderr } = await flotilla.run("restore", "backup", "one", "--to", "mine", ...flotilla.location);

  assert.equal(exitCode, 2);
  assert.match(stderr, /mine is there already/);
});

test("a backup that does not exist is not found", async () => {
  const flotilla = await Flotilla.prepare();

  const { exitCode, stderr } = await flotilla.run("verify", "backup", "none", ...flotilla.location);

  assert.equal(exitCode, 1);
  assert.match(stderr, /backup none not found in bucket "b"/);
});

test("a deletion that would lose track of snapshots, or is not confirmed, is refused", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);

  const blind = await flotilla.run("delete", "backup", "one", "--yes", ...flotilla.location);
  const unsure = await flotilla.run("delete", "backup", "one", ...flotilla.location, ...flotilla.volumes);

  assert.deepEqual([blind.exitCode, unsure.exitCode], [2, 2]);
  assert.match(blind.stderr, /has snapshots \(snap-of-vol-1\)/);
  assert.match(unsure.stderr, /would delete 12 objects and 1 snapshots for good: add --yes/);
});

test("a backup is made, listed, verified, restored and deleted", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);
  const flags = [...flotilla.location, ...flotilla.volumes];

  const listed = await flotilla.run("list", "backups", ...flags);
  const verified = await flotilla.run("backup", "verify", "one", ...flags);
  const restored = await flotilla.run("backup", "restore", "one", "--to", "out", "--restore-volumes", ...flags);
  const deleted = await flotilla.run("backup", "delete", "one", "--yes", ...flags);

  assert.match(listed.stdout, /^NAME +PHASE .*\none +Completed/);
  assert.match(verified.stdout, /backup one is sound\n$/);
  assert.equal(restored.exitCode, 0, restored.stderr);
  assert.equal(deleted.exitCode, 0, deleted.stderr);
  const map = await readFile(join(flotilla.folder, "out/resources/configmaps/namespaces/shop/settings.json"), "utf8");
  assert.equal(
    map,
    `{"apiVersion":"v1","data":{"greeting":"Grüß Gott"},"kind":"ConfigMap","metadata":{"name":"settings","namespace":"shop"}}`,
  );
  for (const place of ["cluster", "v1-preferredversion/cluster"]) {
    const volume = await readFile(join(flotilla.folder, "out/resources/persistentvolumes", place, "data.json"), "utf8");
    assert.match(volume, /"volumeHandle":"vol-of-snap-of-vol-1"/);
  }
  assert.deepEqual(await readdir(join(flotilla.store, "b")), []);
});

test("a tarball is stored byte for byte, and its volumes are snapshotted", async () => {
  const flotilla = await Flotilla.prepare();
  await withBackup(flotilla);
  await flotilla.run("download", "backup", "one", "--to", "got", ...flotilla.location);
  const tarball = join(flotilla.folder, "got", "one.tar.gz");

  const { exitCode, stderr } = await flotilla.run(
    "backup",
    "create",
    "two",
    "--from",
    tarball,
    ...flotilla.location,
    ...flotilla.volumes,
  );

  assert.equal(exitCode, 0, stderr);
  const stored = await readFile(diskObjectPath(flotilla.store, "b", "p/backups/two/two.tar.gz"));
  assert.ok(stored.equals(await readFile(tarball)));
  const snapshots = await readFile(diskObjectPath(flotilla.store, "b", "p/backups/two/two-volumesnapshots.json.gz"));
  assert.match(gunzipSync(snapshots).toString(), /"providerSnapshotID":"snap-of-vol-1"/);
});
