import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, lstat, mkdir, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import type { Finding } from "@flotilla/sdk/plugin";

import { failureOf } from "../wire/bytes.ts";
import { toldLines } from "../wire/told-lines.ts";
import { until } from "../wire/until.ts";
import { needsRestic, startVolumeRig, treeOf } from "./volume-rig.ts";
import type { VolumeRig } from "./volume-rig.ts";

const tags = { "velero.io/backup": "nightly", "velero.io/pv": "pv-1", odd: "a,b c=%", empty: "" };
const anyType = { volumeType: "folder", volumeAz: "", iops: undefined };

describe("volumes as restic snapshots", { ...needsRestic, timeout: 600_000 }, () => {
  let rig: VolumeRig;
  before(async () => {
    rig = await startVolumeRig();
  });
  after(() => rig.close());

  test("a snapshot is restored as a new folder beside the volume, with all that files have", async () => {
    const snapshotter = await rig.open();
    const volumeId = await rig.addVolume("nfs/pvc-1", {
      "data/a.bin": Buffer.alloc(300_000, 7),
      ".hidden": "h",
      b: "",
    });
    await symlink("/etc/hostname", join(volumeId, "link"));
    await mkdir(join(volumeId, "closed"), { mode: 0o555 });
    await chmod(join(volumeId, "b"), 0o4750);
    if (process.getuid?.() === 0) await chown(join(volumeId, "data"), 999, 998);
    await utimes(join(volumeId, "b"), 1_000_000_000, 1_000_000_000);
    await chmod(volumeId, 0o2770);
    const wanted = await treeOf(volumeId);

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });
    const again = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

    assert.match(restored, /\/volumes\/nfs\/pvc-1-restored-[0-9a-f]{8}$/);
    assert.notEqual(restored, again);
    assert.deepEqual(await treeOf(restored), wanted);
    assert.deepEqual(await treeOf(again), wanted);
    assert.deepEqual(
      (await treeOf(join(rig.root, "nfs"))).filter((line) => line.includes("flotilla-restore")),
      [],
    );
  });

  test("the tree of a snapshot holds the volume's own folder and none of the server's paths, and its tags can be read", async () => {
    const snapshotter = await rig.open();
    const volumeId = await rig.addVolume("a/b/pvc-2");

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });

    const tag = `flotilla.io/volume-snapshot=${snapshotId}`;
    const files = (await rig.runRestic("ls", "latest", "--tag", tag, "--no-lock")).split("\n");
    assert.deepEqual(
      files.filter((line) => line.startsWith("/")),
      ["/pvc-2", "/pvc-2/a.txt"],
    );
    const listed = await rig.runRestic("snapshots", "--tag", tag, "--no-lock");
    for (const text of ["velero.io/backup=nightly", "flotilla.io/volume-folder=a/b/pvc-2", "odd=a%2Cb%20c%3D%25"])
      assert.ok(listed.includes(text), text);
  });

  test("a snapshot is described with its time, its size and the server's tags", async () => {
    const snapshotter = await rig.open();
    const volumeId = await rig.addVolume("pvc-3", { a: "12345", b: "678" });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    const description = await snapshotter.describeSnapshot(snapshotId);

    assert.deepEqual({ ...description.tags }, tags);
    assert.equal(description.volumeId, volumeId);
    assert.equal(description.volumeSizeBytes, 8n);
    assert.equal(description.state, "completed");
    assert.ok(Math.abs(Date.now() - (description.startedAt?.getTime() ?? 0)) < 60_000);
  });

  test("a volume without a file is snapshotted and restored", async () => {
    const snapshotter = await rig.open();
    const volumeId = await rig.addVolume("pvc-empty", {});

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} });
    const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

    assert.deepEqual(await treeOf(restored), await treeOf(volumeId));
  });

  test("files of the key exclude are left out", async () => {
    const snapshotter = await rig.open({ config: { exclude: "*.log, cache" } });
    const volumeId = await rig.addVolume("pvc-4", { "a.txt": "a", "b.log": "b", "cache/c": "c" });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} });
    const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

    const names = (await treeOf(restored)).map((line) => line.split(" ")[0]);
    assert.deepEqual(names, ["./", "./a.txt"]);
  });

  test("a second snapshot stores only what changed", async () => {
    const session = rig.start();
    const snapshotter = await rig.open({ session });
    const content = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * 7919) % 251));
    const volumeId = await rig.addVolume("pvc-5", { big: content });
    await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} });
    await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} });

    const [first = 0, second = 0] = (await toldLines(session, /snapshotted a volume/, 2)).map(({ fields }) =>
      Number(fields["addedBytes"]),
    );
    assert.ok(first > 50_000 && second < first / 10, `${first}, then ${second}`);
  });

  test("a deleted snapshot is gone from the repository, and deleting it again succeeds", async () => {
    const snapshotter = await rig.open();
    const volumeId = await rig.addVolume("pvc-6");
    const before = await rig.countSnapshots();
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} });

    await snapshotter.deleteSnapshot(snapshotId);
    await snapshotter.deleteSnapshot(snapshotId);

    assert.equal(await rig.countSnapshots(), before);
    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType }));
    assert.equal(error.kind, "not-found");
  });

  /** A restic that reads a volume slowly, and is stopped as soon as it has its lock, until it is released. */
  async function heldBackup(): Promise<{
    readonly resticPath: string;
    readonly isHeld: () => boolean;
    readonly release: () => Promise<void>;
  }> {
    const [held, released] = [join(rig.folder, "backup-is-held"), join(rig.folder, "backup-goes-on")];
    const resticPath = await rig.standIn(
      "held",
      `case " $* " in *' --one-file-system '*)
  "$RESTIC" "$@" --limit-upload 300 & pid=$!
  until ls '${join(rig.repository, "locks")}' | grep -qE '^[0-9a-f]{64}$'; do sleep 0.02; done
  kill -STOP $pid; touch '${held}'
  while [ ! -e '${released}' ]; do sleep 0.02; done
  kill -CONT $pid; wait $pid; exit $?;;
esac
exec "$RESTIC" "$@"`,
    );
    return { resticPath, isHeld: () => existsSync(held), release: async () => await writeFile(released, "") };
  }

  test("a deletion does not wait for a snapshot that takes long, and the next one clears up after it", async () => {
    const snapshotter = await rig.open();
    const [kept, doomed] = [await rig.addVolume("pvc-8"), await rig.addVolume("pvc-9")];
    const first = await snapshotter.createSnapshot({ volumeId: kept, volumeAz: "", tags });
    const second = await snapshotter.createSnapshot({ volumeId: doomed, volumeAz: "", tags });
    const before = await rig.countSnapshots();
    const { resticPath, isHeld, release } = await heldBackup();
    const session = rig.start();
    const slow = await rig.open({ session, config: { resticPath } });
    const volumeId = await rig.addVolume("pvc-slow", { big: randomBytes(3_000_000) });
    const running = slow.createSnapshot({ volumeId, volumeAz: "", tags: {} });
    await until("restic was held", isHeld);

    await slow.deleteSnapshot(second);
    const error = await failureOf(slow.createVolumeFromSnapshot({ snapshotId: second, ...anyType }));
    await release();
    await running;
    await slow.deleteSnapshot(first);

    assert.equal(error.kind, "not-found");
    // The files and the mark of two are gone, those of the slow one and the mark of a deletion are there.
    assert.equal(await rig.countSnapshots(), before - 4 + 3);
  });

  test("volumes are snapshotted at once in one repository, and none waits for the others to end", async () => {
    const snapshotter = await rig.open();
    const ids = await Promise.all(["p-1", "p-2", "p-3"].map(async (name) => await rig.addVolume(name, { name })));

    const snapshots = await Promise.all(
      ids.map(async (volumeId) => await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} })),
    );

    assert.equal(new Set(snapshots).size, 3);
    const described = await Promise.all(snapshots.map(async (id) => await snapshotter.describeSnapshot(id)));
    assert.deepEqual(
      described.map(({ volumeId }) => volumeId),
      ids,
    );
  });

  test("a PersistentVolume leads to its folder and, restored, to the new one", async () => {
    const volumePaths = "nfs:10.0.0.1:/export=shared";
    const snapshotter = await rig.open({ config: { volumePaths } });
    const expected = await rig.addVolume("shared/claim");
    const persistentVolume = {
      apiVersion: "v1",
      kind: "PersistentVolume",
      spec: { nfs: { server: "10.0.0.1", path: "/export/claim" } },
    };

    const volumeId = await snapshotter.getVolumeId(persistentVolume);
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} });
    const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });
    const changed = await snapshotter.setVolumeId(persistentVolume, restored);

    assert.equal(volumeId, expected);
    const path = restored.replace(join(rig.root, "shared"), "/export");
    assert.deepEqual(changed["spec"], { nfs: { server: "10.0.0.1", path } });
    assert.equal(await snapshotter.getVolumeId({ ...persistentVolume, spec: { hostPath: { path: "/x" } } }), "");
  });

  test("restored volumes go where restoreFolder says", async () => {
    const snapshotter = await rig.open({ config: { restoreFolder: "elsewhere" } });
    const volumeId = await rig.addVolume("pvc-7");
    await mkdir(join(rig.root, "elsewhere"));

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} });
    const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

    assert.ok(restored.startsWith(join(rig.root, "elsewhere/pvc-7-restored-")));
    assert.ok((await lstat(restored)).isDirectory());
  });

  test("two roots in one process do not take each other's volumes", async () => {
    const session = rig.start();
    const other = join(rig.folder, "other-volumes");
    await mkdir(join(other, "same"), { recursive: true });
    execFileSync("cp", [rig.passwordFile, join(other, "same", "from-other")]);
    const volumeId = await rig.addVolume("same", { mine: "m" });
    const snapshotter = await rig.open({ session });
    await rig.open({ session, config: { volumeRoot: other } });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} });

    const files = await rig.runRestic(
      "ls",
      "latest",
      "--tag",
      `flotilla.io/volume-snapshot=${snapshotId}`,
      "--no-lock",
    );
    assert.match(files, /^\/same\/mine$/m);
  });

  test("flotilla check tells of restic, the repository, the root, the rules' folders, room and owners", async () => {
    const volumePaths = "nfs:10.0.0.1:/export=not-mounted hostPath=checked csi:d=checked/{volumeHandle}";
    const snapshotter = await rig.open({ config: { volumePaths, restoreFolder: "checked" } });
    await rig.addVolume("checked/a");

    const findings: Finding[] = [];
    for await (const finding of snapshotter.check()) findings.push(finding);

    const severities = Object.fromEntries(findings.map(({ subject, severity }) => [subject, severity]));
    assert.match(findings.find(({ subject }) => subject === "restoreFolder")?.detail ?? "", /has \d+ MiB free/);
    const { "attributes of restored files": _, ...expected } = severities;
    assert.deepEqual(expected, {
      restic: "ok",
      repository: "ok",
      volumePaths: "ok",
      volumeRoot: "ok",
      "volumePaths not-mounted": "failure",
      "volumePaths checked": "ok",
      restoreFolder: "ok",
      "owners of restored files": process.getuid?.() === 0 ? "ok" : "advice",
    });
  });
});
