import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { skipSlow } from "./restic-rig.ts";
import { copyRound, copyStates, startCopiesRig } from "./volume-copies-rig.ts";
import type { CopiesRig } from "./volume-copies-rig.ts";
import { flotilla, treeOf } from "./volume-rig.ts";

const anyType = { volumeType: "folder", volumeAz: "", iops: undefined };
const tags = { "velero.io/backup": "nightly" };

let rig: CopiesRig;

async function snapshotOf(folder: string): Promise<{ readonly volumeId: string; readonly snapshotId: string }> {
  const volumeId = await rig.addVolume(folder, {
    "a.txt": `this is ${folder}`,
    "b/c.bin": Buffer.alloc(300_000, folder),
  });
  const snapshotId = await (await rig.open()).createSnapshot({ volumeId, volumeAz: "", tags });
  return { volumeId, snapshotId };
}

/** The flags of the command line that name the location whose snapshots are copied. */
async function locationFlags(): Promise<readonly string[]> {
  const config = rig.config({ copyToRepository: rig.second, copyToPasswordFile: rig.secondPassword });
  const vsl = join(rig.folder, "vsl.yaml");
  const document = {
    apiVersion: "velero.io/v1",
    kind: "VolumeSnapshotLocation",
    metadata: { name: "volumes" },
    spec: { provider: "flotilla.io/restic", config },
  };
  await writeFile(vsl, JSON.stringify(document));
  const plugin = join(import.meta.dirname, "../../plugins/restic/dist/flotilla-plugin-restic");
  return ["--plugin", process.env["FLOTILLA_RESTIC_PLUGIN_UNDER_TEST"] ?? plugin, "--volume-location", vsl];
}

describe("copies of volumes in a second repository", { skip: skipSlow, timeout: 900_000 }, () => {
  before(async () => {
    rig = await startCopiesRig();
  });
  after(() => rig.close());

  test("the recorded id restores from the second repository, while the first one and its password are gone", async () => {
    const { volumeId, snapshotId } = await snapshotOf("pvc-1");
    const home = await rig.openHome();
    const [status] = await copyRound(home);
    assert.equal(status?.state, "pending", `${status?.detail}`);
    const [again] = await copyRound(home);
    assert.equal(again?.state, "completed", `${again?.detail}`);
    const before = await treeOf(volumeId);
    await rename(rig.repository, `${rig.repository}-lost`);
    await rename(rig.passwordFile, `${rig.passwordFile}-lost`);
    try {
      await rm(volumeId, { recursive: true });
      const elsewhere = await rig.openSecond();
      const { state, volumeId: described } = await elsewhere.describeSnapshot(snapshotId);
      assert.deepEqual([state, described], ["completed", volumeId]);
      const restored = await elsewhere.createVolumeFromSnapshot({ snapshotId, ...anyType });
      assert.deepEqual(await treeOf(restored), before);
    } finally {
      await rename(`${rig.repository}-lost`, rig.repository);
      await rename(`${rig.passwordFile}-lost`, rig.passwordFile);
    }
  });

  test("the second repository is made to cut files as the first one does", async () => {
    const polynomial = (text: string): unknown =>
      (JSON.parse(text) as { chunker_polynomial: string }).chunker_polynomial;
    assert.equal(polynomial(await rig.inSecond("cat", "config")), polynomial(await rig.runRestic("cat", "config")));
  });

  test("a copy that is there is not made again, and is told to be one of the home repository", async () => {
    const { snapshotId } = await snapshotOf("pvc-2");
    const home = await rig.openHome();
    const request = { originId: snapshotId, region: rig.second };
    assert.equal(await home.copies.startCopy(request), snapshotId);
    const files = async (): Promise<number> =>
      (
        JSON.parse(
          await rig.inSecond("snapshots", "--json", "--tag", `flotilla.io/volume-snapshot=${snapshotId}`),
        ) as unknown[]
      ).length;
    assert.equal(await files(), 1);
    assert.equal(await home.copies.startCopy(request), snapshotId);
    assert.equal(await files(), 1);
    const [copy] = await Array.fromAsync(home.copies.listCopies({ region: rig.second, originId: snapshotId }));
    assert.deepEqual(
      [copy?.copyId, copy?.originId, copy?.originRegion, copy?.state],
      [snapshotId, snapshotId, rig.repository, "completed"],
    );
  });

  test("what restic copy copied by hand counts, once its mark is there too", async () => {
    const { snapshotId } = await snapshotOf("pvc-3");
    const from = ["--from-repo", rig.repository, "--from-password-file", rig.passwordFile];
    const home = await rig.openHome();

    await rig.inSecond("copy", "--tag", `flotilla.io/volume-snapshot=${snapshotId}`, ...from);
    assert.deepEqual(await copyStates(home, rig.second, snapshotId), [[snapshotId, "pending"]]);
    assert.equal((await failureOf((await rig.openSecond()).describeSnapshot(snapshotId))).kind, "not-found");
    await rig.inSecond("copy", ...from);

    assert.deepEqual(await copyStates(home, rig.second, snapshotId), [[snapshotId, "completed"]]);
    assert.equal((await (await rig.openSecond()).describeSnapshot(snapshotId)).state, "completed");
  });

  test("a location that waits answers its snapshot once the copy is there", async () => {
    const volumeId = await rig.addVolume("pvc-4");
    const home = await rig.openHome({ config: { wait: "completed" } });
    const snapshotId = await home.createSnapshot({ volumeId, volumeAz: "", tags });
    assert.equal((await (await rig.openSecond()).describeSnapshot(snapshotId)).state, "completed");
  });

  test("deleting a snapshot deletes its copy, and a snapshot that the second repository's own location made stays", async () => {
    const { snapshotId } = await snapshotOf("pvc-5");
    const home = await rig.openHome();
    await home.copies.startCopy({ originId: snapshotId, region: rig.second });
    const second = await rig.openSecond();
    const volumeId = await rig.addVolume("pvc-6");
    const native = await second.createSnapshot({ volumeId, volumeAz: "", tags });

    assert.deepEqual(await copyStates(home, rig.second, native), []);
    assert.equal((await failureOf(home.copies.deleteCopy({ region: rig.second, copyId: native }))).kind, "not-found");
    await home.deleteSnapshot(native);
    await home.deleteSnapshot(snapshotId);

    assert.equal((await failureOf(second.describeSnapshot(snapshotId))).kind, "not-found");
    assert.equal((await second.describeSnapshot(native)).state, "completed");
  });

  test("the command line copies everything, a second run has nothing to do, and prune finds what lost its origin", async () => {
    const { snapshotId } = await snapshotOf("pvc-7");
    const flags = await locationFlags();

    const copied = await flotilla("volume", "copy", "--all", "--watch", "--interval", "1s", ...flags);
    assert.equal(copied.exitCode, 0, copied.stdout + copied.stderr);
    assert.match(copied.stdout, new RegExp(`${snapshotId} .* completed`));
    const again = await flotilla("volume", "copy", "--all", ...flags);
    assert.equal(again.exitCode, 0, again.stdout);
    assert.match((await flotilla("volume", "prune", ...flags)).stdout, /no copy without need/);

    const restored = await flotilla("volume", "restore", snapshotId, ...flags);
    assert.match(restored.stdout, /pvc-7-restored-/, restored.stderr);

    // As whoever has never heard of the second repository deletes it.
    await (await rig.open()).deleteSnapshot(snapshotId);
    const shown = await flotilla("volume", "prune", ...flags);
    assert.match(shown.stdout, new RegExp(`${snapshotId} .*the snapshot is gone`));
    assert.equal((await (await rig.openSecond()).describeSnapshot(snapshotId)).state, "completed");
    const pruned = await flotilla("volume", "prune", "--delete", ...flags);
    assert.equal(pruned.exitCode, 0, pruned.stdout);
    assert.equal((await failureOf((await rig.openSecond()).describeSnapshot(snapshotId))).kind, "not-found");
    await rig.checkBoth();
  });

  test("check tries the second repository and says that nobody makes copies yet", async () => {
    const { stdout } = await flotilla("check", ...(await locationFlags()));
    assert.match(stdout, /copyToRepository.*opens, and is another repository/);
    assert.match(stdout, /copyToRepository.*cut files alike/);
    assert.match(stdout, /copyToRepository.*can be added to /);
    assert.match(stdout, /copyToRepository.*can be removed from /);
    assert.match(stdout, /copyToRepository.*without wait: completed/);
  });
});
