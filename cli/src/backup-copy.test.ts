import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { crc32, gzipSync } from "node:zlib";

import { diskObjectPath } from "./testing/disk-layout.ts";
import { configMap, Flotilla, persistentVolume } from "./testing/flotilla.ts";

interface Prepared {
  readonly flotilla: Flotilla;
  readonly sides: readonly string[];
  readonly copy: string;
}

async function prepare(config: Readonly<Record<string, string>> = {}): Promise<Prepared> {
  const flotilla = await Flotilla.prepare();
  const from = await flotilla.write({ "a.yaml": configMap, "b.yaml": persistentVolume });
  const words = ["--from", from, ...flotilla.location, ...flotilla.volumes];
  const created = await flotilla.run("backup", "create", "one", ...words);
  assert.equal(created.exitCode, 0, created.stderr);
  const copy = join(flotilla.folder, "copy");
  const location = (folder: string, prefix: string, more = {}): string =>
    JSON.stringify({
      kind: "BackupStorageLocation",
      spec: { provider: "disk", objectStorage: { bucket: "b", prefix }, config: { folder, ...more } },
    });
  const files = await flotilla.write({
    "from.yaml": location(flotilla.store, "p"),
    "to.yaml": location(copy, "q", config),
  });
  const sides = ["--from", join(files, "from.yaml"), "--to", join(files, "to.yaml"), "--plugin", flotilla.plugin];
  return { flotilla, sides, copy };
}

test("a target that acknowledges and gives back other bytes is found out, and no backup is seen", async () => {
  const { flotilla, sides, copy } = await prepare({ fault: "lying" });

  const { exitCode, stdout } = await flotilla.run("backup", "copy", "one", ...sides);

  assert.equal(exitCode, 1);
  assert.match(stdout, /verify the copy "q\/backups\/one\/one\.tar\.gz".* came back; the copy was removed again/);
  assert.ok(!(await readdir(join(copy, "b"))).some((name) => name.includes("velero-backup.json")));
});

test("credentials in a secret are asked for by the flag of their side", async () => {
  const { flotilla, sides } = await prepare();
  const secret =
    "{kind: BackupStorageLocation, spec: {provider: disk, objectStorage: {bucket: c}, credential: {name: s}}}";
  const files = await flotilla.write({ "to.yaml": secret });
  const words = [...sides.slice(0, 2), "--to", join(files, "to.yaml"), "--plugin", flotilla.plugin];

  const { exitCode, stderr } = await flotilla.run("backup", "copy", "one", ...words);

  assert.equal(exitCode, 2);
  assert.match(stderr, /save the secret's value in a file and give it as --to-credentials-file FILE/);
});

test("verb and noun may change places, and a copy that is not the same any more is told", async () => {
  const { flotilla, sides, copy } = await prepare();

  const copied = await flotilla.run("copy", "backups", "--all", ...sides);
  const same = await flotilla.run("compare", "backup", "one", ...sides);
  const path = diskObjectPath(copy, "b", "q/backups/one/one-logs.gz");
  await writeFile(path, "something else");
  const different = await flotilla.run("compare", "backup", "one", ...sides);

  assert.equal(copied.exitCode, 0, copied.stdout + copied.stderr);
  assert.match(copied.stdout, /one +copied .* its volumes are not copied \(native snapshots: 1\)/);
  assert.match(copied.stdout, /backups: 1 copied; from b\/p \(velero\.io\/disk\) to b\/q \(velero\.io\/disk\)/);
  assert.equal(same.exitCode, 0, same.stdout);
  assert.equal(different.exitCode, 1);
  assert.match(different.stdout, /one-logs\.gz +other-size/);
});

test("what an older server recorded of volumes is counted as well, and what cannot be read is said", async () => {
  const { flotilla, sides, copy } = await prepare();
  const stored = (name: string): string => diskObjectPath(flotilla.store, "b", `p/backups/one/one-${name}.json.gz`);
  await rm(stored("volumeinfo"));

  const older = await flotilla.run("backup", "copy", "one", ...sides, "-o", "json");
  await rm(join(copy, "b"), { recursive: true });
  await writeFile(stored("volumesnapshots"), gzipSync("no JSON"));
  await writeFile(`${stored("volumesnapshots")}.crc`, String(crc32(gzipSync("no JSON"))));
  const broken = await flotilla.run("backup", "copy", "one", ...sides, "-o", "json");

  const left = ({ stdout }: { readonly stdout: string }): string | undefined =>
    (JSON.parse(stdout) as { backups: { volumesLeftBehind: string }[] }).backups[0]?.volumesLeftBehind;
  assert.equal(left(older), "native snapshots: 1");
  assert.match(left(broken) ?? "", /^unknown, since its records cannot be read: /);
});

test("comparing says how many backups it passed over", async () => {
  const { flotilla, sides } = await prepare();
  const path = diskObjectPath(flotilla.store, "b", "p/backups/one/velero-backup.json");
  const running = (await readFile(path, "utf8")).replace('"Completed"', '"InProgress"');
  await writeFile(path, running);
  await writeFile(`${path}.crc`, String(crc32(running)));

  const { exitCode, stdout } = await flotilla.run("backup", "compare", "--all", ...sides);

  assert.equal(exitCode, 0, stdout);
  assert.match(stdout, /no differences between .*; 1 passed over, since the server is not done with them/);
});

test("comparing a location in which there is no backup finds nothing the same", async () => {
  const { flotilla, sides } = await prepare();
  await rm(join(flotilla.store, "b"), { recursive: true });

  const { exitCode, stdout } = await flotilla.run("backup", "compare", "--all", "--ignore-extra", ...sides);

  assert.equal(exitCode, 1);
  assert.match(stdout, /^NOTHING was compared between .*: there is no backup at --from/);
});

test("a target that is not there fails the run with one error", async () => {
  const { flotilla, sides } = await prepare({ fault: "no-list" });

  const { exitCode, stdout, stderr } = await flotilla.run("backup", "copy", "--all", ...sides);

  assert.equal(exitCode, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /error: list bucket "b": the bucket is gone/);
});

test("a backup that has expired is copied with the word that a server will delete it there", async () => {
  const { flotilla, sides } = await prepare();
  const path = diskObjectPath(flotilla.store, "b", "p/backups/one/velero-backup.json");
  const expired = (await readFile(path, "utf8")).replace(/("expiration": ?")[^"]+/, "$12026-01-01T00:00:00Z");
  await writeFile(path, expired);
  await writeFile(`${path}.crc`, String(crc32(expired)));

  const { exitCode, stdout } = await flotilla.run("backup", "copy", "one", ...sides);

  assert.equal(exitCode, 0, stdout);
  assert.match(
    stdout,
    /one +copied .* it expired at 2026-01-01T00:00:00Z: a server that syncs the target deletes it, .*; its volumes are not copied/,
  );
});

test("two files of one place are refused, however they name the provider and write what they store", async () => {
  const flotilla = await Flotilla.prepare();
  const location = (provider: string, config: Readonly<Record<string, string>>): string =>
    JSON.stringify({
      kind: "BackupStorageLocation",
      spec: { provider, objectStorage: { bucket: "b", prefix: "/p/" }, config: { region: "eu-central-1", ...config } },
    });
  const files = await flotilla.write({
    "from.yaml": location("aws", {}),
    "to.yaml": location("velero.io/aws", { serverSideEncryption: "AES256", s3ForcePathStyle: "true" }),
  });
  const sides = ["--from", join(files, "from.yaml"), "--to", join(files, "to.yaml"), "--plugin", flotilla.plugin];

  for (const verb of ["copy", "compare"]) {
    const { exitCode, stderr } = await flotilla.run("backup", verb, "one", ...sides);

    assert.equal(exitCode, 2);
    assert.match(stderr, /--from and --to are the same place: bucket b, prefix p/);
  }
});

test("a location is not copied into itself or around itself, which would make the server refuse it", async () => {
  const flotilla = await Flotilla.prepare();
  const location = (prefix: string): string =>
    JSON.stringify({
      kind: "BackupStorageLocation",
      spec: { provider: "disk", objectStorage: { bucket: "b", prefix }, config: { folder: flotilla.store } },
    });
  const files = await flotilla.write({
    "root.yaml": location(""),
    "a.yaml": location("a"),
    "within.yaml": location("a/copies"),
    "beside.yaml": location("a-copies"),
  });
  const copy = async (from: string, to: string) => {
    const sides = ["--from", join(files, from), "--to", join(files, to)];
    return await flotilla.run("backup", "copy", "--all", "--plugin", flotilla.plugin, ...sides);
  };

  for (const [from, to] of [
    ["root.yaml", "a.yaml"],
    ["a.yaml", "root.yaml"],
    ["a.yaml", "within.yaml"],
  ] as const) {
    const { exitCode, stderr } = await copy(from, to);
    assert.equal(exitCode, 2);
    assert.match(stderr, /--from and --to lie within each other in bucket b .*give a prefix beside the other/);
  }
  assert.equal((await copy("a.yaml", "beside.yaml")).exitCode, 0);
});
