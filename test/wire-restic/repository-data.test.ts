import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { chmod, cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { bytesOf, collectAll } from "../wire/bytes.ts";
import { until } from "../wire/until.ts";
import { builtCommand } from "../wire/workspace.ts";
import { skipSlow, startResticRig } from "./restic-rig.ts";
import type { ResticRig } from "./restic-rig.ts";
import { flotilla } from "./volume-rig.ts";

const execute = promisify(execFile);

describe("reading a repository's data back", { skip: skipSlow, timeout: 600_000 }, () => {
  let rig: ResticRig;

  before(async () => {
    rig = await startResticRig();
    const manifests = join(rig.folder, "manifests");
    await mkdir(manifests);
    await writeFile(
      join(manifests, "a.yaml"),
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: n }\n",
    );
    const created = await flotilla("backup", "create", "one", "--from", manifests, ...storeFlags());
    assert.equal(created.exitCode, 0, created.stderr);
  });
  after(() => rig.close());

  function storeFlags(): readonly string[] {
    const { bucket: _bucket, prefix: _prefix, ...config } = rig.configOf("cluster");
    const keys = Object.entries(config).flatMap(([key, value]) => ["--config", `${key}=${value}`]);
    const plugin = builtCommand("restic", "FLOTILLA_RESTIC_PLUGIN_UNDER_TEST");
    return ["--plugin", plugin, "--provider", "flotilla.io/restic", "--bucket", "cluster", ...keys];
  }

  function volumeFlags(repository: string): readonly string[] {
    const { bucket: _bucket, prefix: _prefix, ...config } = rig.configOf("cluster", { repository });
    const keys = Object.entries({ ...config, volumeRoot: rig.folder });
    return keys.flatMap(([key, value]) => ["--volume-config", `${key}=${value}`]);
  }

  function handFlags(repository: string): readonly string[] {
    return ["--repo", repository, "--password-file", join(rig.folder, "password"), "--no-cache"];
  }

  async function verify(...flags: readonly string[]): ReturnType<typeof flotilla> {
    return await flotilla("backup", "verify", "one", "--read-data-subset", "100%", ...storeFlags(), ...flags);
  }

  test("a sound repository passes, and is read once where the volumes are in it, too", async () => {
    const run = await verify(...volumeFlags(rig.repository));

    assert.equal(run.exitCode, 0, `${run.stdout}${run.stderr}`);
    assert.match(run.stdout, /ok +BackupStorageLocation +repository data .*packs that were read back \(100% of them\)/);
    assert.doesNotMatch(run.stdout, /VolumeSnapshotLocation/);
    assert.match(run.stdout, /what was read back of the repository is sound/);
    assert.deepEqual(await readdir(join(rig.repository, "locks")), []);
  });

  test("it waits while somebody adds to the repository", async () => {
    const adding = spawn(rig.restic, ["backup", "--stdin", ...handFlags(rig.repository)], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    const added = new Promise((resolve) => adding.once("close", resolve));
    const location = await rig.open("waiting", { session: rig.start() });
    try {
      await until("it holds the repository", async () => (await readdir(join(rig.repository, "locks"))).length === 1);
      const checked = collectAll(location.store.checkData("1/256"));
      const first = await Promise.race([checked, new Promise((resolve) => setTimeout(resolve, 3000, "still waiting"))]);
      assert.equal(first, "still waiting");

      adding.stdin.end("added\n");

      assert.deepEqual(
        (await checked).map(({ severity, subject }) => `${severity} ${subject}`),
        ["ok repository data"],
      );
    } finally {
      adding.kill();
      await added;
    }
  });

  test("a part that restic would not take reaches no restic", async () => {
    const location = await rig.open("refused");

    await assert.rejects(collectAll(location.store.checkData("all")), /"all" does not say how much; give 5%/);
  });

  test("one byte of the volumes' repository that rots fails with its pack's name, beside a sound backup", async () => {
    const repository = join(rig.folder, "volumes-repository");
    await cp(rig.repository, repository, { recursive: true });
    const pack = await addPack(repository);
    await rot(pack);

    const run = await verify(...volumeFlags(repository));

    assert.equal(run.exitCode, 1);
    assert.match(run.stdout, /backup one is sound/);
    assert.match(run.stdout, /ok +BackupStorageLocation +repository data/);
    assert.match(run.stdout, new RegExp(`failure +VolumeSnapshotLocation +repository data .*${basename(pack)}`));
    assert.match(run.stdout, /the repository HAS FAULTS/);
  });

  // The last one, since the repository stays damaged.
  test("one byte that rots where no object of the backup is fails, with the pack's name and what to do", async () => {
    const pack = await addPack(rig.repository);
    await rot(pack);

    const run = await verify("-o", "json");

    // The form is what the test is about.
    const { isSound, objects, data } = JSON.parse(run.stdout) as {
      isSound: boolean;
      objects: { status: string }[];
      data: { severity: string; detail: string; remedy: string }[];
    };
    assert.deepEqual([run.exitCode, isSound, data.map(({ severity }) => severity)], [1, false, ["failure"]]);
    assert.ok(objects.length > 0 && objects.every(({ status }) => status === "ok"));
    assert.match(data[0]?.detail ?? "", new RegExp(basename(pack)));
    assert.match(data[0]?.remedy ?? "", /restore from another backup or from a second repository.*restic repair packs/);
  });

  /** Adds what no backup needs; answers its pack. */
  async function addPack(repository: string): Promise<string> {
    const file = join(rig.folder, "unrelated");
    await writeFile(file, bytesOf(700_000, `unrelated ${repository}`));
    await execute(rig.restic, ["backup", file, ...handFlags(repository)]);
    const names = await readdir(join(repository, "data"), { recursive: true });
    const packs = names.filter((name) => basename(name).length === 64).map((name) => join(repository, "data", name));
    for (const pack of packs) if ((await stat(pack)).size > 500_000) return pack;
    throw new Error("no pack is that large");
  }
});

/** Turns one bit of a file over; restic leaves packs without a write bit. */
async function rot(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(4000) ^ 1, 4000);
  await chmod(path, 0o600);
  await writeFile(path, bytes);
}
