import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, chown, lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { toldAt, toldLines } from "../wire/told-lines.ts";
import { builtCommand } from "../wire/workspace.ts";
import { needsRestic, startVolumeRig, treeOf } from "./volume-rig.ts";
import type { VolumeRig } from "./volume-rig.ts";

const anyType = { volumeType: "folder", volumeAz: "", iops: undefined };
const tags = { "velero.io/backup": "nightly" };
const pluginCommand = builtCommand("restic", "FLOTILLA_RESTIC_PLUGIN_UNDER_TEST");
const isSuperuser = process.getuid?.() === 0;
const serverUser = 1002;
const fourCapabilities = "-all,+chown,+dac_override,+fowner,+fsetid";

let rig: VolumeRig;

describe("volumes as the server's user sees them", { ...needsRestic, timeout: 600_000 }, () => {
  before(async () => {
    rig = await startVolumeRig();
  });
  after(() => rig.close());
  const options = { skip: isSuperuser ? false : "needs the superuser to become another user" };

  test("files that may not be read fail the snapshot, are named, and leave nothing visible", options, async () => {
    const volumeId = await rig.addVolume("pvc-1", { ok: "o", secret: "s", "closed/f": "f" });
    const snapshotter = await rig.open({ session: rig.start({}, await asServerUser()) });
    await chmod(join(volumeId, "secret"), 0o600);
    await chmod(join(volumeId, "closed"), 0o700);

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: "", tags }));

    assert.equal(error.kind, "incomplete");
    assert.match(error.message, /2 files could not be read: .*(closed|secret).*denied.*exclude/);
    assert.equal(await rig.countSnapshots(), 0);
  });

  test("owners that cannot be restored are told as a warning, with how many files of whom", options, async () => {
    const volumeId = await rig.addVolume("pvc-2", { a: "a", b: "b" });
    await chown(join(volumeId, "a"), 999, 999);
    await chown(join(volumeId, "b"), serverUser, serverUser);
    const session = rig.start({}, await asServerUser());
    const snapshotter = await rig.open({ session });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

    assert.equal((await lstat(join(restored, "a"))).uid, serverUser);
    const warnings = (await toldAt(session, "warn")).map(({ fields }) => fields["loss"]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /1 of 0:0, 1 of 999:999 belong to 1002:1002 now/);
  });

  test(
    "folders that their own user may not write are restored, moved and cleaned up all the same",
    options,
    async () => {
      const volumeId = await rig.addVolume("pvc-3", { "closed/f": "f" });
      const session = rig.start({}, await asServerUser());
      await chmod(join(volumeId, "closed"), 0o555);
      await chmod(volumeId, 0o555);
      const snapshotter = await rig.open({ session });

      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
      const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

      assert.equal((await lstat(restored)).mode & 0o777, 0o555);
      assert.deepEqual(
        (await readdir(rig.root)).filter((name) => name.startsWith(".")),
        [],
      );
    },
  );

  test(
    "attributes of users come back; those of the system are left out where the user may not set them",
    options,
    async (t) => {
      const volumeId = await rig.addVolume("pvc-4", { a: "a" });
      const names = { "user.note": "kept", "security.flotilla": "left" };
      if (!setAttributes(join(volumeId, "a"), names)) {
        t.skip("python3 or the file system sets no attributes here");
        return;
      }
      const snapshotter = await rig.open({ session: rig.start({}, await asServerUser()) });
      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });

      const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

      assert.deepEqual(attributesOf(join(restored, "a")), ["user.note"]);
    },
  );

  test("an attribute that only a superuser may set costs a file none of its others", options, async (t) => {
    if (/ 0\.1[4-7]\./.test(await rig.runRestic("version"))) return t.skip("this restic leaves them all");
    const volumeId = await rig.addVolume("pvc-6", { a: "a", b: "b" });
    const names = { "trusted.x": "left", "user.a": "kept", "user.b": "kept" };
    if (!setAttributes(join(volumeId, "a"), names)) return t.skip("attributes cannot be set here");
    const snapshotId = await (await rig.open()).createSnapshot({ volumeId, volumeAz: "", tags });
    const snapshotter = await rig.open({ session: rig.start({}, await asServerUser()) });

    const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

    assert.deepEqual(attributesOf(join(restored, "a")), ["user.a", "user.b"]);
  });

  test(
    "the pod of the guide, a superuser with four capabilities, brings everything back as it was",
    options,
    async () => {
      const volumeId = await rig.addVolume("pvc-5", { "private/key": "k", shared: "s" });
      await chown(join(volumeId, "private/key"), 999, 999);
      await chmod(join(volumeId, "private/key"), 0o600);
      await chown(join(volumeId, "private"), 999, 998);
      await chmod(join(volumeId, "private"), 0o2700);
      await chown(volumeId, 70, 70);
      const session = rig.start({}, await asSuperuser(fourCapabilities));
      const snapshotter = await rig.open({ session });

      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
      const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

      assert.deepEqual(await treeOf(restored), await treeOf(volumeId));
      await toldLines(session, /restored a volume/);
      const warnings = session.lines.filter(({ level }) => level === "warn");
      assert.deepEqual(warnings, []);
    },
  );

  for (const [user, capabilities] of [
    ["the pod of the guide", fourCapabilities],
    ["a superuser without any capability", "-all"],
    ["the server's user", undefined],
  ] as const)
    test(`${user} restores all files beside what it may not make or set, and tells of that`, options, async (t) => {
      const volumeId = await rig.addVolume(`pvc-${capabilities ?? "user"}`, { a: "a", "b/program": "p" });
      if (!makeDevice(join(volumeId, "b/null")) || !setFileCapability(join(volumeId, "b/program"))) {
        t.skip("the superuser here may make neither devices nor programs with capabilities");
        return;
      }
      await chown(join(volumeId, "a"), 999, 999);
      const command = capabilities === undefined ? await asServerUser() : await asSuperuser(capabilities);
      const session = rig.start({}, command);
      execFileSync("chmod", ["-R", "a+rwX", rig.folder]);
      const snapshotter = await rig.open({ session });
      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });

      const restored = await snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType });

      assert.deepEqual(await readdir(join(restored, "b")), ["program"]);
      assert.equal(await readFile(join(restored, "a"), "utf8"), "a");
      const losses = session.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields["loss"] ?? "");
      assert.equal(losses.length, 1);
      assert.match(losses[0] ?? "", /device files: not made, for want of CAP_MKNOD: \S+\/b\/null$/);
      if (capabilities !== fourCapabilities) assert.match(losses[0] ?? "", /1 of 999:999/);
      // Older versions do not say so.
      else if (!/ 0\.1[4-6]\./.test(await rig.runRestic("version")))
        assert.match(losses[0] ?? "", /attributes: .*\/b\/program;/);
    });

  test("a root that the server's user may not write is named when a restore needs it", options, async () => {
    const volumeId = await rig.addVolume("readonly/pvc");
    const snapshotter = await rig.open({ session: rig.start({}, await asServerUser()) });
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags });
    await chmod(join(rig.root, "readonly"), 0o555);

    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ snapshotId, ...anyType }));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /readonly.*EACCES.*may write/);
  });
});

/** The plugin as the server's own user runs it. */
async function asServerUser(): Promise<string> {
  const path = await rig.standIn(
    "as-server-user",
    `exec setpriv --reuid=${serverUser} --regid=${serverUser} --clear-groups '${pluginCommand}' "$@"`,
  );
  execFileSync("chmod", ["-R", "a+rwX", rig.folder]);
  return path;
}

/** The plugin as a superuser with these capabilities runs it. */
async function asSuperuser(capabilities: string): Promise<string> {
  const lines = `exec setpriv --bounding-set=${capabilities} --inh-caps=-all '${pluginCommand}' "$@"`;
  return await rig.standIn(`with${capabilities}`, lines);
}

function makeDevice(path: string): boolean {
  try {
    execFileSync("mknod", ["-m", "666", path, "c", "1", "3"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Lets a program open raw sockets, which to set takes CAP_SETFCAP. */
function setFileCapability(path: string): boolean {
  const line =
    "import os,struct,sys; os.setxattr(sys.argv[1], 'security.capability', struct.pack('<5I', 0x2000001, 1 << 13, 0, 0, 0))";
  try {
    python(line, path);
    return true;
  } catch {
    return false;
  }
}

/** Node has no such calls. */
function setAttributes(path: string, attributes: Readonly<Record<string, string>>): boolean {
  try {
    for (const [name, value] of Object.entries(attributes))
      python("import os,sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())", path, name, value);
    return true;
  } catch {
    return false;
  }
}

function attributesOf(path: string): readonly string[] {
  return python("import os,sys; print(*sorted(os.listxattr(sys.argv[1])))", path).split(/\s+/).filter(Boolean);
}

function python(...args: readonly string[]): string {
  return execFileSync("python3", ["-c", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}
