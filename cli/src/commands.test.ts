import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { Flotilla } from "./testing/flotilla.ts";

test("an unknown command and an unknown flag are refused with exit code 2", async () => {
  const flotilla = await Flotilla.prepare();

  const [command, flag] = [await flotilla.run("explode"), await flotilla.run("plugin", "list", "--colour")];

  assert.deepEqual([command.exitCode, flag.exitCode], [2, 2]);
  assert.match(flag.stderr, /unknown option '--colour'/);
});

test("the program tells its own version", async () => {
  const flotilla = await Flotilla.prepare();

  for (const flag of ["--version", "-V"]) {
    const { exitCode, stdout } = await flotilla.run(flag);

    assert.equal(exitCode, 0);
    assert.match(stdout, /^flotilla \d+\.\d+\.\d+\n$/);
  }
});

test("check without a location says what to give", async () => {
  const flotilla = await Flotilla.prepare();

  const { exitCode, stderr } = await flotilla.run("check", "--plugin", flotilla.plugin);

  assert.equal(exitCode, 2);
  assert.match(stderr, /nothing to check: give --bucket or --location/);
});

test("check fails where the plugin refuses the configuration", async () => {
  const flotilla = await Flotilla.prepare();

  const { exitCode, stdout } = await flotilla.run("check", "-o", "json", ...flotilla.location, "--config", "foldr=x");

  const { findings } = JSON.parse(stdout) as { findings: { severity: string; detail: string }[] };
  assert.equal(exitCode, 1);
  assert.equal(findings[0]?.severity, "failure");
  assert.match(findings[0]?.detail ?? "", /foldr \(did you mean folder\?\)/);
});

test("a plugin that cannot check itself is advice, and what nobody looked at is no good news", async () => {
  const flotilla = await Flotilla.prepare();

  const { exitCode, stdout } = await flotilla.run("check", ...flotilla.location, ...flotilla.volumes);

  assert.equal(exitCode, 1);
  assert.match(stdout, /advice +VolumeSnapshotLocation +check +plugin velero\.io\/disk cannot check a location/);
  assert.match(stdout, /no failures; but whether the BackupStorageLocation and the .* can be used was NOT CHECKED\n$/);
});

test("wrong words are told as a document, too, where one was asked for", async () => {
  const flotilla = await Flotilla.prepare();
  const documents: unknown[] = [];

  for (const words of [
    ["backup", "list", "--bukket", "b", "-o", "json"],
    ["backup", "-o", "json"],
    ["frob", "-ojson"],
  ]) {
    const { exitCode, stdout } = await flotilla.run(...words);
    assert.equal(exitCode, 2);
    documents.push(JSON.parse(stdout));
  }

  assert.deepEqual(documents[0], {
    error: { kind: "usage", message: "unknown option '--bukket'\n(Did you mean --bucket?)" },
  });
});

test("a location file with a secret's credentials asks for a file", async () => {
  const flotilla = await Flotilla.prepare();
  const files = await flotilla.write({
    "bsl.yaml": `kind: BackupStorageLocation
spec:
  provider: disk
  objectStorage: { bucket: b }
  credential: { name: cloud-credentials, key: cloud }
`,
  });

  const { exitCode, stderr } = await flotilla.run(
    "backup",
    "list",
    "--location",
    join(files, "bsl.yaml"),
    "--plugin",
    flotilla.plugin,
  );

  assert.equal(exitCode, 2);
  assert.match(
    stderr,
    /the secret "cloud-credentials" \(key "cloud"\), which cannot be read from here: .* --credentials-file FILE/,
  );
});

test("a read-only location is not written to", async () => {
  const flotilla = await Flotilla.prepare();
  const files = await flotilla.write({
    "bsl.yaml": `kind: BackupStorageLocation
spec: { provider: disk, objectStorage: { bucket: b }, config: { folder: "${flotilla.store}" }, accessMode: ReadOnly }
`,
  });
  const flags = ["--location", join(files, "bsl.yaml"), "--plugin", flotilla.plugin];

  const deletion = await flotilla.run("delete", "backup", "one", "--yes", ...flags);
  const list = await flotilla.run("list", "backups", ...flags);

  assert.equal(deletion.exitCode, 2);
  assert.match(deletion.stderr, /is ReadOnly/);
  assert.equal(list.exitCode, 0);
});

test("volumes are snapshotted, shown, restored, and their snapshots deleted", async () => {
  const flotilla = await Flotilla.prepare();
  const flags = ["--plugin", flotilla.plugin, "--provider", "disk", ...flotilla.volumes, "-o", "json"];

  const made = await flotilla.run("snapshot", "volume", "vol-1", ...flags);
  const shown = await flotilla.run("volume", "info", "vol-1", ...flags);
  const restored = await flotilla.run("volume", "restore", "snap-of-vol-1", "--zone", "z", ...flags);
  const deleted = await flotilla.run("volume", "delete", "snap-of-vol-1", ...flags);
  const absent = await flotilla.run("volume", "restore", "snap-of-vol-1", "--zone", "z", ...flags);

  assert.deepEqual(JSON.parse(made.stdout), { volumeId: "vol-1", snapshotId: "snap-of-vol-1" });
  assert.deepEqual(JSON.parse(shown.stdout), { volumeId: "vol-1", volumeType: "gp3", iops: 4000 });
  assert.deepEqual(JSON.parse(restored.stdout), { snapshotId: "snap-of-vol-1", volumeId: "vol-of-snap-of-vol-1" });
  assert.equal(deleted.exitCode, 0);
  assert.equal(absent.exitCode, 1);
});

test("plugins are listed with their versions", async () => {
  const flotilla = await Flotilla.prepare();

  const { exitCode, stdout } = await flotilla.run("get", "plugins", "--plugin", flotilla.plugin, "-o", "json");

  const { plugins } = JSON.parse(stdout) as { plugins: unknown[] };
  assert.equal(exitCode, 0);
  assert.deepEqual(plugins[0], {
    command: flotilla.plugin,
    kind: "ObjectStore",
    name: "velero.io/disk",
    version: "flotilla-plugin-disk 0.0.0-disk",
  });
});
