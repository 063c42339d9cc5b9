import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { diskObjectPath } from "../testing/disk-layout.ts";
import { Flotilla } from "../testing/flotilla.ts";
import { veleroSupport } from "./velero-versions.ts";

const flotilla = await Flotilla.prepare();

test("the server's version is judged by its number or its image", () => {
  const states = [
    "v1.18.3",
    "1.16",
    "velero/velero:v1.17.2",
    "r:5000/velero:v1.15.0",
    "v1.11.1",
    "v1.19.0-rc.1",
    "v2.0.0",
  ].map((text) => veleroSupport(text)?.state);

  assert.deepEqual(states, ["tested", "tested", "tested", "expected", "unsupported", "newer", "newer"]);
  assert.equal(veleroSupport("velero/velero:latest"), undefined);
});

test("the address of a registry is not taken for the server's version", () => {
  const versions = ["10.1.2.3:5000/velero/velero:v1.17.0", "1.2.3.4/velero:1.18.3@sha256:0123abcd"].map(
    (text) => veleroSupport(text)?.version,
  );

  assert.deepEqual(versions, ["v1.17.0", "1.18.3"]);
  assert.equal(veleroSupport("10.1.2.3:5000/velero/velero:latest"), undefined);
});

test("a server that is too old fails the check, with a remedy, without any location", async () => {
  const { exitCode, stdout } = await flotilla.run("check", "--velero-version", "v1.9.0");

  assert.equal(exitCode, 1);
  assert.match(stdout, /failure +server +Velero v1\.9\.0 +not supported +upgrade the server to 1\.16 or newer/);
});

test("a version that cannot be read is refused in words", async () => {
  const { exitCode, stderr } = await flotilla.run("check", "--velero-version", "latest");

  assert.equal(exitCode, 2);
  assert.match(stderr, /give it as v1\.18\.3/);
});

test("the check measures how long the store takes to answer", async () => {
  const { stdout } = await flotilla.run("check", ...flotilla.location);

  assert.match(stdout, /(ok|advice) +BackupStorageLocation +latency +\d+ ms to an answer, the median of 5/);
});

test("a location that cannot be opened is told once, without a latency", async () => {
  const { exitCode, stdout } = await flotilla.run("check", ...flotilla.location, "--config", "unknown=x");

  assert.equal(exitCode, 1);
  assert.doesNotMatch(stdout, /latency/);
});

test("a ReadOnly location is read, and nothing is written to try it", async () => {
  const spec = { provider: "disk", accessMode: "ReadOnly", objectStorage: { bucket: "b", prefix: "p" } };
  const location = { kind: "BackupStorageLocation", spec: { ...spec, config: { folder: flotilla.store } } };
  const files = await flotilla.write({ "bsl.yaml": JSON.stringify(location) });

  const words = ["--location", `${files}/bsl.yaml`, "--plugin", flotilla.plugin];
  const { exitCode, stdout } = await flotilla.run("check", ...words);

  assert.equal(exitCode, 0, stdout);
  assert.match(stdout, /ok +BackupStorageLocation +list +0 backups below p\/backups\//);
  assert.match(stdout, /advice +BackupStorageLocation +accessMode +the location is ReadOnly, so nothing that writes/);
});

test("a store that does not answer is told when the patience is at its end, and not when the plugin's is", async () => {
  const silent = [...flotilla.location, "--config", "fault=silent", "--timeout", "300ms"];

  const { exitCode, stdout } = await flotilla.run("check", ...silent);

  assert.equal(exitCode, 1);
  assert.match(
    stdout,
    /failure +BackupStorageLocation +(?:open|folders) +no answer within 300 ms +check the endpoint.* --timeout/,
  );
});

test("each failure has a remedy", async () => {
  const { stdout } = await flotilla.run("check", ...flotilla.location, "--config", "fault=no-list", "-o", "json");

  const { findings } = JSON.parse(stdout) as { findings: { severity: string; remedy: string }[] };
  const failures = findings.filter(({ severity }) => severity === "failure");
  assert.equal(failures.length, 1);
  assert.match(failures[0]?.remedy ?? "", /--log-level debug/);
});

test("folders that would make the server call the location unavailable are a failure", async () => {
  const other = await Flotilla.prepare();
  await mkdir(join(other.store, "b"), { recursive: true });
  for (const key of ["p/backups/one/velero-backup.json", "p/photos/a.jpg", "photos/b.jpg"])
    await writeFile(diskObjectPath(other.store, "b", key), "x");

  const { exitCode, stdout } = await other.run("check", ...other.location);

  assert.equal(exitCode, 1);
  assert.match(
    stdout,
    /failure +BackupStorageLocation +folders +there is photos below p\/, and the server calls a location/,
  );
});
