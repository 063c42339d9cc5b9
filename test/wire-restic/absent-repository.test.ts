import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { absenceWords } from "../wire/absence.ts";
import { collectAll, failureOf, readUntilError } from "../wire/bytes.ts";
import type { Location } from "../wire/location.ts";
import { skip, startResticRig } from "./restic-rig.ts";
import type { ResticRig } from "./restic-rig.ts";

const run = promisify(execFile);

// The server deletes the Backup objects of the cluster that a listing of a location lacks, each minute. A repository that
// is out of sight (nothing mounted, another address) must never look like one that is empty.

const initialize = "true";

for (const isStandIn of [true, false])
  describe(
    `a repository that is not there, for ${isStandIn ? "a stand-in of restic" : "restic"}`,
    {
      skip: isStandIn ? false : skip,
    },
    () => testAbsence(isStandIn),
  );

function testAbsence(isStandIn: boolean): void {
  let rig: ResticRig;

  before(async () => {
    rig = await startResticRig({ isMade: false, isStandIn });
  });

  after(async () => {
    await rig.close();
  });

  async function open(name: string, env: Readonly<Record<string, string>> = {}): Promise<Location> {
    const config = { repository: join(rig.folder, name), initialize };
    return await rig.open(name, { session: rig.start(env), config });
  }

  /** As the server validates a location. */
  async function validate({ store, bucket }: Location): Promise<readonly string[]> {
    return await store.listCommonPrefixes({ bucket, prefix: "", delimiter: "/" });
  }

  /** As the server looks which Backup objects to delete. */
  async function sync({ store, bucket }: Location): Promise<readonly string[]> {
    return await store.listCommonPrefixes({ bucket, prefix: "backups/", delimiter: "/" });
  }

  async function isThere(name: string): Promise<boolean> {
    return await stat(join(rig.folder, name, "config")).then(
      () => true,
      () => false,
    );
  }

  async function makeByHand(folder: string): Promise<void> {
    const { passwordFile = "" } = rig.configOf("any");
    await run(rig.restic, ["init", "--repo", folder, "--password-file", passwordFile]);
  }

  /** Everything that could make the server take backups for gone, or hide what is lost. */
  async function assertRefused(location: Location, words: RegExp): Promise<void> {
    await assert.rejects(validate(location), words);
    await assert.rejects(sync(location), words);
    await assert.rejects(location.list("backups/a/"), words);
    await assert.rejects(location.exists("backups/a/velero-backup.json"), words);
    await assert.rejects(location.put("backups/b/velero-backup.json", Buffer.from("{}")), words);
    await assert.rejects(location.store.deleteObject(location.at("backups/a/velero-backup.json")), words);
    const { error } = await readUntilError(location.store.getObject(location.at("backups/a/velero-backup.json")));
    assert.match(error.message, words);
    assert.doesNotMatch(error.message, absenceWords);
  }

  test("of a new location is made by the first put, and neither by its validation nor by a look", async () => {
    const location = await open("new");
    assert.deepEqual(await validate(location), []);
    assert.equal(await location.exists("backups/a/velero-backup.json"), false);
    assert.equal(await isThere("new"), false);

    await location.put("backups/a/velero-backup.json", Buffer.from("{}"));
    assert.deepEqual(await validate(location), ["backups/"]);
    assert.deepEqual(await sync(await open("new")), ["backups/a/"]);
  });

  test("says nothing of backups before it was made, since they may only be out of sight", async () => {
    const location = await open("unknown");

    await assert.rejects(sync(location), /no repository yet.*first put makes it/);
    await assert.rejects(location.list("backups/a/"), /no repository yet/);
    await assert.rejects(location.store.deleteObject(location.at("backups/a/velero-backup.json")), /no repository yet/);
    assert.equal(await isThere("unknown"), false);
  });

  test("is made by a check, which somebody runs by hand", async () => {
    const { store } = await open("checked");
    const findings = await collectAll(store.check({ signal: new AbortController().signal }));

    assert.deepEqual(new Set(findings.map(({ severity }) => severity)), new Set(["ok"]));
    assert.equal(await isThere("checked"), true);
  });

  test("any more is never made anew, nor taken for empty", async () => {
    const location = await open("gone");
    await location.put("backups/a/velero-backup.json", Buffer.from("{}"));
    const [folder, away] = [join(rig.folder, "gone"), join(rig.folder, "gone-away")];
    await rename(folder, away);

    const words = /there is no repository any more.*[0-9a-f]{8}.*mounted/;
    await assertRefused(location, words);
    await assertRefused(await open("gone"), words);
    // What is left of a mount.
    await mkdir(folder);
    await assertRefused(await open("gone"), words);
    assert.deepEqual(await readdir(folder), []);

    await rm(folder, { recursive: true });
    await rename(away, folder);
    assert.deepEqual(await sync(location), ["backups/a/"]);
  });

  test("because another one is in its place is refused, until somebody says that this is meant", async () => {
    const location = await open("swapped");
    await location.put("backups/a/velero-backup.json", Buffer.from("{}"));
    const folder = join(rig.folder, "swapped");
    await rename(folder, join(rig.folder, "swapped-away"));
    await makeByHand(folder);

    await assertRefused(location, /another repository than before.*[0-9a-f]{8}.*[0-9a-f]{8}.*remove/);
    const refusal = await validate(await open("swapped")).then(String, String);
    await rm(/remove (\S+)/.exec(refusal)?.[1] ?? "");
    assert.deepEqual(await validate(await open("swapped")), []);
  });

  test("as a whole, without its config, is not made over", async () => {
    const folder = join(rig.folder, "torn");
    await makeByHand(folder);
    await rm(join(folder, "config"));

    await assertRefused(await open("torn"), /what is in the folder .*torn/);
    assert.equal(await isThere("torn"), false);
    assert.equal((await readdir(join(folder, "keys"))).length, 1);
  });

  test("in a pod where nothing is mounted is not made in the pod's own file system", async (t) => {
    if ((await stat("/")).dev !== (await stat(rig.folder)).dev) return t.skip("this folder is mounted");
    const location = await open("unmounted", { KUBERNETES_SERVICE_HOST: "127.0.0.1" });

    await assertRefused(location, /nothing is mounted/);
    assert.equal(await isThere("unmounted"), false);
  });

  // The stand-in knows what objects need.
  if (isStandIn) return;

  test("of volumes is made by the first snapshot, and no deletion before counts as done", async () => {
    const volumeRoot = join(rig.folder, "volumes");
    const volumeId = join(volumeRoot, "pvc");
    await mkdir(volumeId, { recursive: true });
    const { bucket: _bucket, prefix: _prefix, ...config } = rig.configOf("volumes");
    const snapshotter = rig.start().manager.getVolumeSnapshotter("flotilla.io/restic");
    await snapshotter.init({ ...config, repository: join(rig.folder, "of-volumes"), initialize, volumeRoot });

    const error = await failureOf(snapshotter.deleteSnapshot("volume-20260101t000000z-000000000000"));
    assert.match(error.message, /no repository yet/);
    assert.doesNotMatch(error.message, absenceWords);
    assert.equal(await isThere("of-volumes"), false);
    const tags = { "velero.io/backup": "nightly" };
    await snapshotter.deleteSnapshot(await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags }));
    await snapshotter.deleteSnapshot("volume-20260101t000000z-000000000000");
  });
}
