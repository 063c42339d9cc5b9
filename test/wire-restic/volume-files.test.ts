import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { builtCommand } from "../wire/workspace.ts";
import { flotilla, needsRestic, startVolumeRig, treeOf } from "./volume-rig.ts";
import type { VolumeRig } from "./volume-rig.ts";

// Velero's own default, which is no secret.
const veleroPassword = "static-passw0rd";

describe("files that Velero backed up with restic", { ...needsRestic, timeout: 600_000 }, () => {
  let rig: VolumeRig;
  let bucket = "";

  before(async () => {
    rig = await startVolumeRig();
    bucket = join(rig.folder, "bucket");
    await mkdir(join(rig.folder, "to"));
    await backUp({ backup: "monday", pod: "db-0", volume: "data" }, "monday's");
    await backUp({ backup: "tuesday", pod: "db-0", volume: "data" }, "tuesday's");
    await backUp({ backup: "tuesday", pod: "web-0", volume: "uploads" }, "uploads");
  });
  after(() => rig.close());

  /** As Velero 1.16 calls restic, in the repository of the namespace. */
  async function backUp(
    { backup, pod, volume }: Readonly<Record<"backup" | "pod" | "volume", string>>,
    content: string,
  ): Promise<void> {
    const mount = join(rig.folder, "host_pods", `${pod}-${volume}`, "mount");
    await mkdir(join(mount, "sub"), { recursive: true });
    await writeFile(join(mount, "sub/file"), content);
    const repository = ["--repo", join(bucket, "restic/shop"), "--cache-dir", join(rig.folder, "velero-cache")];
    const env = { ...process.env, RESTIC_PASSWORD: veleroPassword };
    const restic = (...args: readonly string[]): void =>
      void execFileSync(rig.restic, [...args, ...repository], { cwd: mount, env, stdio: "pipe" });
    if (!(await exists(join(bucket, "restic/shop")))) restic("init");
    const tags = { backup, "backup-uid": "u-1", pod, "pod-uid": "u-2", ns: "shop", volume, "pvc-uid": `pvc-${volume}` };
    const flags = Object.entries(tags).flatMap(([name, value]) => ["--tag", `${name}=${value}`]);
    restic("backup", ".", "--host=velero", "--json", ...flags);
  }

  async function restore(...flags: readonly string[]): ReturnType<typeof flotilla> {
    return await flotilla(
      "restore",
      "volume",
      "--plugin",
      builtCommand("restic", "FLOTILLA_RESTIC_PLUGIN_UNDER_TEST"),
      ...["repository", "resticPath", "cacheFolder"].flatMap((key) => ["--volume-config", `${key}=${values()[key]}`]),
      ...flags,
    );
  }

  function values(): Readonly<Record<string, string>> {
    return { ...rig.config(), repository: join(bucket, "restic/shop"), cacheFolder: join(rig.folder, "cli-cache") };
  }

  test("the one snapshot that Velero's names leave over is restored into a new folder", async () => {
    const to = join(rig.folder, "to/one");

    const run = await restore("--backup", "monday", "--namespace", "shop", "--volume", "data", "--to", to);

    assert.equal(run.exitCode, 0, run.stderr);
    assert.match(run.stdout, /^data of shop\/db-0 as of .* is in .*\/to\/one/);
    assert.equal(await readFile(join(to, "sub/file"), "utf8"), "monday's");
    assert.deepEqual(
      (await treeOf(to)).map((line) => line.split(" ")[0]),
      ["./", "./sub/", "./sub/file"],
    );
  });

  test("several that match are listed with their ids, and one of these is restored then", async () => {
    const to = join(rig.folder, "to/several");

    const listed = await restore("--volume", "data", "--to", to);
    const json = await restore("--volume", "data", "--to", to, "-o", "json");
    // The form is what the test is about.
    const { snapshots } = JSON.parse(json.stdout) as { snapshots: { snapshotId: string; backup: string }[] };
    const monday = snapshots.find(({ backup }) => backup === "monday")?.snapshotId.slice(0, 8) ?? "";
    const chosen = await restore(monday, "--to", to);

    assert.deepEqual([listed.exitCode, json.exitCode, chosen.exitCode], [1, 1, 0], chosen.stderr);
    assert.match(listed.stdout, /2 snapshots match; nothing was restored[^]*tuesday[^]*monday/);
    assert.equal(await readFile(join(to, "sub/file"), "utf8"), "monday's");
  });

  test("none that matches says what was looked for", async () => {
    const run = await restore("--namespace", "shop", "--pod", "db-7", "--to", join(rig.folder, "to/none"));

    assert.equal(run.exitCode, 1);
    assert.match(run.stderr, /no snapshot of Velero's with namespace shop, pod db-7/);
  });

  test("a folder with something in it is refused untouched, an empty one is filled", async () => {
    const [full, empty] = [join(rig.folder, "to/full"), join(rig.folder, "to/empty")];
    await mkdir(full);
    await mkdir(empty);
    await writeFile(join(full, "mine"), "m");

    const refused = await restore("--volume", "uploads", "--to", full);
    const filled = await restore("--volume", "uploads", "--to", empty);

    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /there is something already/);
    assert.deepEqual(await readdir(full), ["mine"]);
    assert.equal(filled.exitCode, 0, filled.stderr);
    assert.equal(await readFile(join(empty, "sub/file"), "utf8"), "uploads");
  });

  test("a restore that fails leaves neither the folder nor anything beside it", async () => {
    const resticPath = await rig.standIn(
      "failing-restore",
      'if [ "$1" = restore ]; then "$RESTIC" "$@"; echo "Fatal: There were 1 errors" >&2; exit 1; fi; exec "$RESTIC" "$@"',
    );
    await mkdir(join(rig.folder, "to/failing"));

    const run = await restore(
      "--volume",
      "uploads",
      "--to",
      join(rig.folder, "to/failing/target"),
      "--volume-config",
      `resticPath=${resticPath}`,
    );

    assert.equal(run.exitCode, 1);
    assert.match(run.stderr, /There were 1 errors/);
    assert.deepEqual(await readdir(join(rig.folder, "to/failing")), []);
  });

  test("the namespace's repository is found from the BackupStorageLocation", async () => {
    const location = join(rig.folder, "bsl.yaml");
    await writeFile(
      location,
      `apiVersion: velero.io/v1
kind: BackupStorageLocation
metadata: { name: default }
spec:
  provider: velero.io/aws
  objectStorage: { bucket: b }
  config: { region: eu-west-1, resticRepoPrefix: ${join(bucket, "restic")} }
`,
    );
    const to = join(rig.folder, "to/from-location");

    const run = await flotilla(
      "volume",
      "restore",
      "--plugin",
      builtCommand("restic", "FLOTILLA_RESTIC_PLUGIN_UNDER_TEST"),
      "--location",
      location,
      "--namespace",
      "shop",
      "--volume",
      "uploads",
      "--to",
      to,
      ...["resticPath", "cacheFolder"].flatMap((key) => ["--volume-config", `${key}=${values()[key]}`]),
    );

    assert.equal(run.exitCode, 0, run.stderr);
    assert.equal(await readFile(join(to, "sub/file"), "utf8"), "uploads");
  });
});

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
