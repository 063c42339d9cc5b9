import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { volumeSnapshotterConfig } from "./config.ts";
import type { GceSnapshot } from "./gce-resources.ts";
import { checkCopies } from "./persistent-disk-copy-check.ts";
import { ScriptedDisks } from "./testing/scripted-disks.ts";

const call: Call = { log: silentLogger, signal: new AbortController().signal };
const destination = { region: "eu", project: "copies", kmsKeyName: undefined, zone: undefined };

/** A Compute Engine in which a project or a region is not there, as its answers are read: to a list, to a name, to a put. */
class MissingPlace extends ScriptedDisks {
  override async *listSnapshots(project: string): AsyncGenerator<GceSnapshot> {
    if (project === destination.project) throw missing();
    yield* [];
  }

  override async listZones(): Promise<readonly string[]> {
    return await Promise.reject(missing());
  }
}

function missing(): PluginError {
  return new PluginError("something that it needs is missing", { kind: "invalid-argument", code: "notFound" });
}

async function findings(region: string, project: string): Promise<readonly string[]> {
  const api = new MissingPlace();
  const absent = new PluginError("not found", { kind: "not-found" });
  api.snapshots = [absent];
  api.deletions = [absent];
  api.refusals = [missing()];
  const checked = {
    config: parseConfig(volumeSnapshotterConfig, { snapshotLocation: "us" }),
    api,
    diskProject: "cluster",
    snapshotProject: "vault",
    destinations: [{ ...destination, region, project }],
  };
  const all = await Array.fromAsync(checkCopies(checked, call));
  return all.map(({ severity, subject }) => `${severity} ${subject}`);
}

test("a project of copies that is not there is a failure, and nothing in it is taken for allowed", async () => {
  const of = (await findings("eu", "copies")).filter((finding) => finding.includes("copyToRegions eu"));

  assert.deepEqual(of, ["failure copyToRegions eu: compute.snapshots.list"]);
});

test("a region of copies that is not there is a failure", async () => {
  const of = (await findings("eu-nowhere9", "vault")).filter((finding) => finding.includes("eu-nowhere9"));

  assert.deepEqual(of, ["failure copyToRegions eu-nowhere9: compute.regions.get"]);
});
