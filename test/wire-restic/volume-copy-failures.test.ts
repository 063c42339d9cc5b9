import assert from "node:assert/strict";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { until } from "../wire/until.ts";
import { killAll } from "./kill-all.ts";
import { skipSlow } from "./restic-rig.ts";
import { copyRound, copyStates, resticPids, startCopiesRig } from "./volume-copies-rig.ts";
import type { CopiesRig } from "./volume-copies-rig.ts";
import { treeOf } from "./volume-rig.ts";

const anyType = { volumeType: "folder", volumeAz: "", iops: undefined };
const tags = { "velero.io/backup": "nightly" };

let rig: CopiesRig;

async function snapshotOf(folder: string): Promise<{ readonly volumeId: string; readonly snapshotId: string }> {
  const volumeId = await rig.addVolume(folder, { big: randomBytes(2_000_000) });
  const snapshotId = await (await rig.open()).createSnapshot({ volumeId, volumeAz: "", tags });
  return { volumeId, snapshotId };
}

/** A restic that copies slowly, so that something can happen meanwhile. */
async function slowRestic(): Promise<string> {
  return await rig.standIn("slow-restic", 'exec "$RESTIC" "$@" --limit-upload 100 --limit-download 100');
}

/** The second repository holds none that counts, and is copied to whole by another run. */
async function requireRepeatable(snapshotId: string, volumeId: string): Promise<void> {
  const home = await rig.openHome();
  assert.deepEqual(await copyStates(home, rig.second, snapshotId), []);
  assert.equal((await failureOf((await rig.openSecond()).describeSnapshot(snapshotId))).kind, "not-found");
  await home.copies.startCopy({ originId: snapshotId, region: rig.second });
  assert.deepEqual(await copyStates(home, rig.second, snapshotId), [[snapshotId, "completed"]]);
  const restored = await (await rig.openSecond()).createVolumeFromSnapshot({ snapshotId, ...anyType });
  assert.deepEqual(await treeOf(restored), await treeOf(volumeId));
  await rig.checkBoth();
}

describe("copies of volumes, when something goes wrong", { skip: skipSlow, timeout: 900_000 }, () => {
  before(async () => {
    rig = await startCopiesRig();
  });
  after(() => rig.close());

  test("what cannot be meant is refused when the location is opened, and names the key", async () => {
    const password = rig.secondPassword;
    const configs: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
      [{ copyToRepository: rig.repository }, /copyToRepository .* is the location's own repository/],
      [{ copyToRepository: `${rig.repository}//` }, /copyToRepository .* is the location's own repository/],
      [{ copyToPasswordFile: password }, /copyToPasswordFile without copyToRepository/],
      [{ copyToCredentialsFile: password, wait: "completed" }, /copyToCredentialsFile, wait without copyToRepository/],
      [
        { copyToRepository: rig.second, copyToPasswordFile: password, copyToPasswordCommand: "x" },
        /copyToPasswordCommand/,
      ],
      [{ copyToRepository: rig.second, copyToPasswordFile: `${password}-none` }, /cannot be read/],
      [{ copyToRepository: rig.second, writtenBy: "velero" }, /writtenBy/],
      [{ copyToRepository: "relative" }, /copyToRepository/],
    ];
    for (const [config, pattern] of configs) {
      const error = await failureOf(rig.open({ config }));
      assert.equal(error.kind, "invalid-config", error.message);
      assert.match(error.message, pattern);
    }
  });

  test("the location's own repository by another address is refused before anything is listed or deleted", async () => {
    const { snapshotId } = await snapshotOf("same");
    const alias = join(rig.folder, "alias");
    await symlink(rig.repository, alias);
    const home = await rig.openHome({ config: { copyToRepository: alias, copyToPasswordFile: rig.passwordFile } });

    for (const attempt of [
      home.copies.startCopy({ originId: snapshotId, region: alias }),
      home.copies.deleteCopy({ copyId: snapshotId, region: alias }),
      home.deleteSnapshot(snapshotId),
    ]) {
      const error = await failureOf(attempt);
      assert.equal(error.kind, "invalid-config", error.message);
      assert.match(error.message, /same id/);
    }
    assert.equal((await (await rig.open()).describeSnapshot(snapshotId)).state, "completed");
  });

  test("a wrong password of the second repository fails the copy and every deletion, and leaves the snapshot", async () => {
    const { snapshotId } = await snapshotOf("password");
    await (await rig.openHome()).copies.startCopy({ originId: snapshotId, region: rig.second });
    const wrong = join(rig.folder, "wrong-password");
    await writeFile(wrong, "no horse at all\n");
    const home = await rig.openHome({ config: { copyToPasswordFile: wrong } });

    const [status] = await copyRound(home);
    assert.equal(status?.state, "failed");
    assert.match(status?.detail ?? "", /copyToRepository.*the password opens none/);
    const error = await failureOf(home.deleteSnapshot(snapshotId));
    assert.equal(error.kind, "denied", error.message);
    assert.equal((await (await rig.open()).describeSnapshot(snapshotId)).state, "completed");
  });

  test("a second repository that cannot be reached is no empty one: backups go on, deletions wait", async () => {
    const volumeId = await rig.addVolume("unreachable");
    // As a store's address that nobody listens at; restic itself would try again for minutes.
    const refusing = await rig.standIn(
      "refusing",
      `[ "$RESTIC_REPOSITORY" = '${rig.second}' ] && { echo 'Fatal: unable to open config file: dial tcp 127.0.0.1:1: connect: connection refused' >&2; exit 1; }\nexec "$RESTIC" "$@"`,
    );
    const home = await rig.openHome({ config: { resticPath: refusing } });
    const snapshotId = await home.createSnapshot({ volumeId, volumeAz: "", tags });

    assert.equal((await failureOf(copyStates(home, rig.second))).kind, "unavailable");
    assert.ok((await copyRound(home)).every(({ state }) => state === "waiting"));
    assert.equal((await failureOf(home.deleteSnapshot(snapshotId))).kind, "unavailable");
    assert.equal((await (await rig.open()).describeSnapshot(snapshotId)).state, "completed");
  });

  test("a missing second repository is named, with what makes it", async () => {
    const { snapshotId } = await snapshotOf("missing");
    const none = join(rig.folder, "none");
    const home = await rig.openHome({ config: { copyToRepository: none, initialize: "false" } });
    const error = await failureOf(home.copies.startCopy({ originId: snapshotId, region: none }));
    assert.equal(error.kind, "invalid-config", error.message);
    assert.match(error.message, /copyToRepository.*there is no repository.*initialize/);
  });

  test("a plugin that is killed while it copies leaves nothing that counts, and the next run completes it", async () => {
    const { snapshotId, volumeId } = await snapshotOf("kill-plugin");
    const session = rig.start();
    const home = await rig.openHome({ session, config: { resticPath: await slowRestic() } });

    const failing = failureOf(home.copies.startCopy({ originId: snapshotId, region: rig.second }));
    await until("restic copied", isCopying);
    killAll(session.manager.pids);
    await failing;
    // The orphan would go on to the end, which is no harm; a node that is lost takes it along.
    killAll(await resticPids(rig, "copy"));
    await until("the orphan had ended", async () => (await resticPids(rig, "copy")).length === 0);

    assert.deepEqual(await copyStates(home, rig.second, snapshotId), []);
    await requireRepeatable(snapshotId, volumeId);
  });

  test("a restic that is killed while it copies fails the copy, and the next run completes it", async () => {
    const { snapshotId, volumeId } = await snapshotOf("kill-restic");
    const home = await rig.openHome({ config: { resticPath: await slowRestic() } });

    const failing = failureOf(home.copies.startCopy({ originId: snapshotId, region: rig.second }));
    await until("restic copied", isCopying);
    killAll(await resticPids(rig, "copy"));
    assert.equal((await failing).kind, "unavailable");

    await requireRepeatable(snapshotId, volumeId);
  });

  test("a copier that is killed before it says that the copy is whole is finished by the next run", async () => {
    const { snapshotId } = await snapshotOf("unmarked");
    const stopping = await rig.standIn(
      "stopping",
      `case " $* " in *=${snapshotId}*volume-bytes*) kill -9 $$ ;; esac\nexec "$RESTIC" "$@"`,
    );
    const interrupted = await rig.openHome({ config: { resticPath: stopping } });
    await failureOf(interrupted.copies.startCopy({ originId: snapshotId, region: rig.second }));
    const home = await rig.openHome();
    assert.deepEqual(await copyStates(home, rig.second, snapshotId), [[snapshotId, "pending"]]);
    assert.equal((await failureOf((await rig.openSecond()).describeSnapshot(snapshotId))).kind, "not-found");

    await copyRound(home);

    assert.deepEqual(await copyStates(home, rig.second, snapshotId), [[snapshotId, "completed"]]);
  });

  test("a location that waits gives a copy up that is late, and leaves neither it nor its snapshot", async () => {
    const volumeId = await rig.addVolume("late", { big: randomBytes(8_000_000) });
    const slow = await rig.standIn(
      "late-restic",
      '[ "$1" = copy ] && exec "$RESTIC" "$@" --limit-upload 300\nexec "$RESTIC" "$@"',
    );
    const home = await rig.openHome({ config: { resticPath: slow, wait: "completed", waitTimeout: "1s" } });
    const before = await rig.countSnapshots();

    const error = await failureOf(home.createSnapshot({ volumeId, volumeAz: "", tags }));

    assert.equal(error.kind, "timeout", error.message);
    assert.equal(await rig.countSnapshots(), before);
    assert.equal((await copyStates(home, rig.second)).filter(([, state]) => state === "pending").length, 0);
    await rig.checkBoth();
  });

  test("a restic that copies nothing and ends well is no copy", async () => {
    const { snapshotId } = await snapshotOf("nothing");
    const idle = await rig.standIn("idle", '[ "$1" = copy ] && exit 0\nexec "$RESTIC" "$@"');
    const home = await rig.openHome({ config: { resticPath: idle } });
    const error = await failureOf(home.copies.startCopy({ originId: snapshotId, region: rig.second }));
    assert.equal(error.kind, "conflict", error.message);
    assert.deepEqual(await copyStates(home, rig.second, snapshotId), []);
    const unknown = await failureOf(home.copies.startCopy({ originId: "volume-none", region: rig.second }));
    assert.equal(unknown.kind, "not-found");
  });

  test("a copy that was marked as deleted does not hide the one that is made anew", async () => {
    const { snapshotId } = await snapshotOf("again");
    const home = await rig.openHome();
    const request = { originId: snapshotId, region: rig.second };
    await home.copies.startCopy(request);
    await rig.inSecond("backup", "--tag", `flotilla.io/volume-deleted=${snapshotId}`, rig.passwordFile);
    assert.deepEqual(await copyStates(home, rig.second, snapshotId), []);

    await home.copies.startCopy(request);

    assert.equal((await (await rig.openSecond()).describeSnapshot(snapshotId)).state, "completed");
  });

  test("both passwords may come from lines of credentials files, or from commands, and reach no command line", async () => {
    const { snapshotId } = await snapshotOf("lines");
    const [own, other] = [join(rig.folder, "own.env"), join(rig.folder, "other.env")];
    await writeFile(own, "RESTIC_PASSWORD='correct horse battery staple'\n");
    await writeFile(other, "RESTIC_PASSWORD='another horse'\n");
    const seen = join(rig.folder, "seen");
    const telling = await rig.standIn("telling", `echo "$*" >> '${seen}'\nenv >> '${seen}'\nexec "$RESTIC" "$@"`);
    const { passwordFile: _, ...usual } = rig.config();
    const config = { ...usual, resticPath: telling, copyToRepository: rig.second };
    for (const more of [
      { credentialsFile: own, copyToCredentialsFile: other },
      { credentialsFile: own, copyToPasswordFile: rig.secondPassword },
      { passwordCommand: `cat '${rig.passwordFile}'`, copyToPasswordCommand: `cat '${rig.secondPassword}'` },
    ]) {
      const location = rig.start().manager.getVolumeSnapshotter("flotilla.io/restic");
      await location.init({ ...config, ...more });
      await location.copies.startCopy({ originId: snapshotId, region: rig.second });
      assert.deepEqual(await copyStates(location, rig.second, snapshotId), [[snapshotId, "completed"]]);
      await location.copies.deleteCopy({ copyId: snapshotId, region: rig.second });
    }
    assert.doesNotMatch(await readFile(seen, "utf8"), /horse/);
  });
});

/** Whether a restic of the rig has begun to copy: it has its lock in the second repository. */
async function isCopying(): Promise<boolean> {
  return (await resticPids(rig, "copy")).length > 0 && (await readdir(join(rig.second, "locks"))).length > 0;
}
