import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, copyFile, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { collectAll, bytesOf, readUntilError } from "../wire/bytes.ts";
import { absenceWords } from "../wire/absence.ts";
import { until } from "../wire/until.ts";
import { skip, startResticRig } from "./restic-rig.ts";
import type { ResticRig } from "./restic-rig.ts";

const large = bytesOf(2_500_000, "large");

describe("objects in a restic repository", { skip }, () => {
  let rig: ResticRig;

  before(async () => {
    rig = await startResticRig();
  });

  after(async () => {
    await rig.close();
  });

  test("what is put is listed and read, by restic alone too, and gone after its delete", async () => {
    const location = await rig.open("round-trip");
    await location.put("backups/b1/b1.tar.gz", gzipSync(large));
    await location.put("backups/b1/velero-backup.json", Buffer.from("{}"));

    assert.deepEqual(await location.list("backups/"), ["backups/b1/velero-backup.json", "backups/b1/b1.tar.gz"]);
    assert.deepEqual(
      await location.store.listCommonPrefixes({ bucket: "round-trip", prefix: "backups/", delimiter: "/" }),
      ["backups/b1/"],
    );
    assert.deepEqual(await location.get("backups/b1/b1.tar.gz"), gzipSync(large));
    assert.equal((await location.describe("backups/b1/velero-backup.json")).sizeBytes, 2n);
    const data = (await rig.snapshots()).find(({ tags }) =>
      tags?.some((tag) => tag.startsWith("flotilla.io/data=") && tags.includes("flotilla.io/key=backups/b1/b1.tar.gz")),
    );
    assert.equal((await rig.byHand("dump", data?.id ?? "", "/b1.tar.gz")).length > 0, true);

    for (const key of await location.list()) await location.store.deleteObject(location.at(key));
    assert.deepEqual(await location.list(), []);
    const left = (await rig.snapshots()).filter(({ tags }) => tags?.includes("flotilla.io/bucket=round-trip"));
    assert.deepEqual(left, []);
  });

  test("an absent object is said to be absent, in the server's words", async () => {
    const location = await rig.open("absent");

    assert.equal(await location.exists("nothing"), false);
    assert.match((await readUntilError(location.store.getObject(location.at("nothing")))).error.message, absenceWords);
    await location.store.deleteObject(location.at("nothing"));
  });

  test("another process sees a change at once, and the newest of two", async () => {
    const [one, other] = [await rig.open("two"), await rig.open("two", { session: rig.start() })];
    await one.put("key", Buffer.from("first"));
    assert.equal(String(await other.get("key")), "first");

    await other.put("key", Buffer.from("second"));
    assert.equal(String(await one.get("key")), "second");
    assert.deepEqual(await one.list(), ["key"]);

    await one.store.deleteObject(one.at("key"));
    assert.equal(await other.exists("key"), false);
  });

  test("while somebody else's backup runs, objects are put, replaced and deleted", async () => {
    const location = await rig.open("locked");
    const holder = spawn(
      rig.restic,
      [
        "backup",
        "--stdin",
        "--repo",
        rig.repository,
        "--password-file",
        rig.configOf("x")["passwordFile"] ?? "",
        "--no-cache",
      ],
      { stdio: ["pipe", "ignore", "ignore"] },
    );
    try {
      await until("restic had its lock", async () => (await readdir(join(rig.repository, "locks"))).length > 0);
      await location.put("key", large);
      await location.put("key", Buffer.from("replaced"));
      assert.equal(String(await location.get("key")), "replaced");

      await location.store.deleteObject(location.at("key"));
      assert.equal(await location.exists("key"), false);
      assert.deepEqual(await (await rig.open("locked", { session: rig.start() })).list(), []);
    } finally {
      holder.kill("SIGKILL");
    }
  });

  test("the lock of a process that was killed stands in no delete's way", async () => {
    const location = await rig.open("stale");
    await location.put("key", Buffer.from("x"));
    assert.ok((await readdir(join(rig.repository, "locks"))).length > 0, "the test before left one");

    await location.store.deleteObject(location.at("key"));
    const left = (await rig.snapshots()).filter(({ tags }) => tags?.includes("flotilla.io/bucket=stale"));
    assert.deepEqual(left, []);
  });

  test("a gzip body that ends early is refused, and nothing of it is visible", async () => {
    const location = await rig.open("truncated");

    await assert.rejects(location.put("b.tar.gz", gzipSync(large).subarray(0, 2_000_000)), /gzip stream ended early/);
    assert.deepEqual(await location.list(), []);
  });

  for (const [size, body] of [
    ["small", Buffer.alloc(5000, "small ")],
    ["large", large],
  ] as const)
    test(`a restic that stores less than it got of a ${size} object fails the put, and the former object stays`, async () => {
      const path = await rig.script(
        `short-${size}`,
        `case "$*" in *'key=victim'*) head -c 4000 | "$RESTIC" "$@"; exit $?;; esac\nexec "$RESTIC" "$@"`,
      );
      await (await rig.open(`short-${size}`)).put("victim", Buffer.from("former"));
      const location = await rig.open(`short-${size}`, { session: rig.start(), config: { resticPath: path } });

      await assert.rejects(location.put("victim", body), /stored 4000 of \d+ bytes/);
      assert.equal(String(await location.get("victim")), "former");
    });

  test("a restic that reads other bytes than were stored never ends a get cleanly", async () => {
    const path = await rig.script(
      "lying",
      `case "$1" in dump) "$RESTIC" "$@" | tr a b; exit 0;; esac\nexec "$RESTIC" "$@"`,
    );
    const location = await rig.open("lying", { session: rig.start(), config: { resticPath: path } });
    await location.put("key", Buffer.from("a".repeat(1000)));

    const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("key")));
    assert.match(error.message, /sha256 is recorded as .*; read it again/);
    assert.equal(receivedBytes, 0);
  });

  test("neither password nor credentials are in a command line, nor in an environment that does not need them", async () => {
    const seen = join(rig.folder, "seen");
    const path = await rig.script("spy", `{ echo "ARGS $*"; env; } >> '${seen}'\nexec "$RESTIC" "$@"`);
    const credentialsFile = join(rig.folder, "credentials");
    await writeFile(
      credentialsFile,
      "RESTIC_PASSWORD='correct horse battery staple'\nAWS_SECRET_ACCESS_KEY=from-file\n",
    );
    const { passwordFile: _, ...config } = rig.configOf("secrets", { credentialsFile, resticPath: path });
    const session = rig.start({ AWS_SECRET_ACCESS_KEY: "from-environment" });
    const store = session.manager.getObjectStore("flotilla.io/restic");
    await store.init(config);
    assert.deepEqual(await store.listObjects({ bucket: "secrets", prefix: "" }), []);

    const text = await readFile(seen, "utf8");
    assert.match(text, /ARGS snapshots/);
    assert.doesNotMatch(text, /correct horse|from-file|from-environment/);
    const files = await readdir(join(rig.folder, "flotilla-restic-" + String(process.getuid?.())));
    assert.deepEqual(files, []);
  });

  test("a restic without an execute bit is copied to where it may be started", async () => {
    const shipped = join(rig.folder, "restic-without-x");
    await copyFile(rig.restic, shipped);
    await chmod(shipped, 0o644);
    const location = await rig.open("copied", { session: rig.start(), config: { resticPath: shipped } });

    assert.deepEqual(await location.list(), []);
    const folder = join(rig.folder, "flotilla-restic-" + String(process.getuid?.()));
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await readdir(join(folder, "bin"))).length, 1);
    assert.equal((await stat(shipped)).mode & 0o111, 0);
  });

  test("a wrong password is told as that", async () => {
    const wrong = join(rig.folder, "wrong");
    await writeFile(wrong, "wrong\n");
    const location = await rig.open("wrong", { session: rig.start(), config: { passwordFile: wrong } });

    await assert.rejects(location.list(), /the password opens none of the repository's keys/);
  });

  test("where there is no repository, only a location that says so makes one, once", async () => {
    const repository = join(rig.folder, "another");
    const strict = await rig.open("none", { config: { repository } });
    await assert.rejects(strict.list(), /there is no repository .*initialize: "true"/);

    const location = await rig.open("none", { session: rig.start(), config: { repository, initialize: "true" } });
    const puts = ["key", "second", "third"].map(async (key) => await location.put(key, large));
    await Promise.all(puts);
    assert.deepEqual(await location.get("key"), large);
    assert.equal((await readdir(join(repository, "keys"))).length, 1);
  });

  test("snapshot files that cannot be read make listings fail, since nobody knows what they were", async () => {
    const location = await rig.open("damaged");
    await location.put("key", Buffer.from("x"));
    const folder = join(rig.repository, "snapshots");
    const garbage = join(folder, "1".repeat(64));
    await writeFile(garbage, bytesOf(200, "garbage"));
    try {
      await assert.rejects(location.list(), /1 snapshot files cannot be read .*restic check/);
      await assert.rejects(location.exists("absent"), /cannot be read/);
      assert.equal(await location.exists("key"), true);
    } finally {
      await rm(garbage);
    }
    assert.deepEqual(await location.list(), ["key"]);
  });

  test("a signed URL is refused with the command to use", async () => {
    const location = await rig.open("signing");

    await assert.rejects(location.store.createSignedUrl(location.at("key"), 600), /flotilla backup download/);
  });

  test("the location's check tries what it needs and leaves nothing behind", async () => {
    const location = await rig.open("check");
    const before = (await rig.snapshots()).length;
    const findings = await collectAll(location.store.check({ signal: new AbortController().signal }));

    assert.deepEqual(
      findings.map(({ severity, subject }) => `${severity} ${subject}`),
      ["ok restic", "ok read", "ok add", "ok read back", "ok remove"],
    );
    assert.equal((await rig.snapshots()).length, before);
  });
});
