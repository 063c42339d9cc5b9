import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { volumeSnapshotterConfig } from "./config.ts";
import { checkVolumeSnapshotter } from "./managed-disk-check.ts";
import type { CheckedSnapshotter } from "./managed-disk-check.ts";
import type { Place } from "./managed-disk-ids.ts";
import { ScriptedDisks } from "./testing/scripted-disks.ts";

const call: Call = { log: silentLogger, signal: new AbortController().signal };
const place = { subscription: "0000-aa", resourceGroup: "MC_home" };
const absent = new PluginError("not found", { kind: "not-found", code: "ResourceNotFound" });
const noSource = new PluginError("something is missing", { kind: "invalid-argument", code: "NotFound" });
const denied = new PluginError("x: access denied; grant it", { kind: "denied", code: "AuthorizationFailed" });

/** An Azure that allows everything and has none of the made-up names. */
function healthy(): ScriptedDisks {
  const api = new ScriptedDisks();
  api.disks = [absent];
  api.snapshots = [absent];
  api.deletions = [{ status: 204 }];
  api.refusals = [noSource, noSource];
  return api;
}

async function check(
  api: ScriptedDisks,
  config: Record<string, string> = {},
  snapshots: Place = place,
  destinations: CheckedSnapshotter["destinations"] = [],
): Promise<Finding[]> {
  const parsed = parseConfig(volumeSnapshotterConfig, config);
  return await Array.fromAsync(
    checkVolumeSnapshotter({ config: parsed, api, disks: place, snapshots, destinations }, call),
  );
}

function outcomes(findings: readonly Finding[]): string[] {
  return findings.map(({ severity, subject }) => `${severity} ${subject}`);
}

test("every permission is tried on names that nobody has, and nothing is left", async () => {
  const api = healthy();

  assert.deepEqual(outcomes(await check(api)), [
    "ok Microsoft.Compute/disks/read",
    "ok Microsoft.Compute/snapshots/read",
    "ok Microsoft.Compute/snapshots/delete",
    "ok Microsoft.Compute/snapshots/write",
    "ok Microsoft.Compute/disks/write",
  ]);
  assert.ok(api.created.every(({ id }) => id.name.startsWith("flotilla-check-")));
});

test("a missing permission is a failure with its remedy, and the others are tried nevertheless", async () => {
  const api = healthy();
  api.snapshots = [denied];
  api.refusals = [denied, noSource];

  const findings = await check(api);

  assert.deepEqual(
    findings.filter(({ severity }) => severity === "failure").map(({ subject, remedy }) => `${subject}: ${remedy}`),
    ["Microsoft.Compute/snapshots/read: grant it", "Microsoft.Compute/snapshots/write: grant it"],
  );
  assert.equal(findings.length, 5);
});

test("a missing resource group is a failure", async () => {
  const api = healthy();
  api.disks = [new PluginError("not found", { kind: "not-found", code: "ResourceGroupNotFound" })];

  assert.equal(outcomes(await check(api))[0], "failure Microsoft.Compute/disks/read");
});

test("an endpoint that cannot be reached is one failure", async () => {
  const api = healthy();
  api.disks = [new PluginError("cut", { kind: "unavailable" })];

  assert.deepEqual(outcomes(await check(api)), ["failure Microsoft.Compute/disks/read"]);
});

test("without a disk the permissions to write are not tried, and that is told", async () => {
  const api = healthy();
  api.region = undefined;

  assert.equal(outcomes(await check(api)).at(-1), "advice Microsoft.Compute/snapshots/write");
});

test("what an endpoint made of nothing is deleted again", async () => {
  const api = healthy();
  api.refusals = [];

  await check(api);

  assert.equal(api.deleted.length, 1 + 2);
});

test("a caCert without a certificate is told", async () => {
  assert.equal(outcomes(await check(healthy(), { caCert: "x" }))[0], "advice caCert");
});

test("snapshots in another subscription, in a group that only the environment names, are told", async () => {
  const elsewhere = { ...place, subscription: "1111-bb" };

  const [first] = await check(healthy(), { subscriptionId: "1111-bb" }, elsewhere);

  assert.equal(first?.subject, "resourceGroup");
  assert.match(first.detail, /resource group "MC_home" of subscription 1111-bb, which is not the cluster's/);
  const named = await check(healthy(), { subscriptionId: "1111-bb", resourceGroup: "MC_home" }, elsewhere);
  assert.notEqual(named[0]?.subject, "resourceGroup");
});

test("a customer's key of a disk there that may not be read is a failure", async () => {
  const api = healthy();
  const group = "/subscriptions/0000-aa/resourceGroups/keys/providers/Microsoft.Compute/diskEncryptionSets";
  api.encryptionSets = [`${group}/set-1`, "odd"];
  api.encryptionSetRefusal = denied;

  const last = (await check(api)).at(-1);

  assert.equal(last?.severity, "failure");
  assert.equal(last.subject, "Microsoft.Compute/diskEncryptionSets/read");
  assert.ok(api.asked.includes("set-1"));
});
