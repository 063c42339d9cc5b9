import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { volumeSnapshotterConfig } from "./config.ts";
import { checkVolumeSnapshotter } from "./persistent-disk-check.ts";
import { ScriptedDisks } from "./testing/scripted-disks.ts";

const call: Call = { log: silentLogger, signal: new AbortController().signal };
const absent = new PluginError("not found", { kind: "not-found" });
const noSource = new PluginError("something is missing", { kind: "invalid-argument", code: "notFound" });
const denied = new PluginError("x: access denied; grant it", { kind: "denied" });
const projects = ["cluster", "vault"].map((name) => `compute.projects.get on "${name}"`);
const permissions = [
  "compute.disks.get",
  "compute.snapshots.get",
  "compute.snapshots.delete",
  "compute.snapshots.create",
  "compute.disks.create",
  "compute.snapshots.setLabels",
  "compute.disks.setLabels",
  "compute.disks.delete",
  "compute.globalOperations.get",
  "compute.zoneOperations.get",
];

/** A Compute Engine that allows everything and has none of the made-up names. */
function healthy(): ScriptedDisks {
  const api = new ScriptedDisks();
  api.disks = [absent];
  api.snapshots = [absent];
  api.deletions = [absent];
  api.operations = [absent];
  api.refusals = [noSource, noSource, noSource, noSource];
  return api;
}

async function check(api: ScriptedDisks, config: Record<string, string> = {}): Promise<Finding[]> {
  const checked = { config: parseConfig(volumeSnapshotterConfig, config), api };
  return await Array.fromAsync(
    checkVolumeSnapshotter({ ...checked, diskProject: "cluster", snapshotProject: "vault", destinations: [] }, call),
  );
}

test("every permission is tried on names that nobody has, and the quota is told", async () => {
  const api = healthy();

  const findings = await check(api);

  assert.deepEqual(
    findings.map(({ severity, subject }) => `${severity} ${subject}`),
    [...projects, "quota SNAPSHOTS", ...permissions].map((subject) => `ok ${subject}`),
  );
  assert.ok(api.created.every(({ id }) => id.name.startsWith("flotilla-check-")));
  assert.match(findings[2]?.detail ?? "", /9 of 10/);
});

test("a missing permission is a failure with its remedy, and the others are tried nevertheless", async () => {
  const api = healthy();
  api.snapshots = [denied];
  api.refusals = [denied, noSource, noSource, noSource];

  const findings = await check(api);

  assert.deepEqual(
    findings.filter(({ severity }) => severity === "failure").map(({ subject, remedy }) => `${subject}: ${remedy}`),
    ["compute.snapshots.get: grant it", "compute.snapshots.create: grant it"],
  );
  assert.equal(findings.length, 13);
});

test("what Velero's documented role lacks is advice: backups work without it", async () => {
  const api = healthy();
  api.refusals = [noSource, noSource, denied, denied];
  api.operations = [denied];
  api.projects = [denied];

  const findings = await check(api);

  assert.deepEqual(
    findings.filter(({ severity }) => severity === "advice").map(({ subject }) => subject),
    [
      ...projects,
      "compute.snapshots.setLabels",
      "compute.disks.setLabels",
      "compute.globalOperations.get",
      "compute.zoneOperations.get",
    ],
  );
  assert.ok(findings.every(({ severity }) => severity !== "failure"));
});

test("a used up quota is a failure with its numbers", async () => {
  const api = healthy();
  api.projects = [{ quotas: [{ metric: "SNAPSHOTS", limit: 5, usage: 5 }] }];

  const told = (await check(api)).find(({ subject }) => subject === "quota SNAPSHOTS");

  assert.deepEqual([told?.severity, told?.detail], ["failure", "5 of 5 snapshots of the project are used"]);
});

test("a service that does not answer is told once", async () => {
  const api = healthy();
  api.disks = [new PluginError("x: no answer", { kind: "unavailable" })];

  assert.deepEqual(
    (await check(api)).filter(({ severity }) => severity === "failure").map(({ subject }) => subject),
    ["compute.disks.get"],
  );
});

test("a project that is not there is told, and nothing of it is taken for allowed", async () => {
  const api = healthy();
  api.projects = [new PluginError("x: no such project", { kind: "invalid-argument", code: "notFound" })];

  assert.deepEqual(
    (await check(api)).map(({ severity, subject }) => `${severity} ${subject}`),
    ['failure compute.projects.get on "cluster"'],
  );
});

test("where the zone of the trials is unknown, what is about disks is said to be untried", async () => {
  const api = healthy();
  api.disks = [new PluginError("x: unknown zone", { kind: "invalid-argument", code: "invalid" })];

  const findings = await check(api);

  assert.deepEqual(
    findings.filter(({ severity }) => severity !== "ok").map(({ severity, subject }) => `${severity} ${subject}`),
    ["advice disks"],
  );
  assert.ok(findings.every(({ subject }) => !subject.startsWith("compute.disks.")));
});

test("an endpoint that makes what cannot be made is cleaned up after", async () => {
  const api = healthy();
  api.refusals = [];

  await check(api);

  for (const { id } of api.created) assert.ok(api.deleted.some((deleted) => deleted.endsWith(id.name)));
});

test("a caCert without a certificate is advice", async () => {
  const [first] = await check(healthy(), { caCert: "nothing" });

  assert.deepEqual([first?.severity, first?.subject], ["advice", "caCert"]);
});
