import assert from "node:assert/strict";
import { test } from "node:test";
import { PluginError, silentLogger } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { DiskHandle } from "./persistent-disk-ids.ts";
import { PersistentDiskPlaces } from "./persistent-disk-places.ts";

const call: Call = { log: silentLogger, signal: new AbortController().signal };
const zonal: DiskHandle = { project: "p", scope: "zones", location: "us-central1-a", name: "d" };
const regional: DiskHandle = { project: "p", scope: "regions", location: "us-central1", name: "d" };

function choose(
  volumeAz: string,
  options: { readonly zoneMap?: Readonly<Record<string, string>>; readonly defaultZone?: string },
  source?: DiskHandle,
): string {
  const { zoneMap = {}, defaultZone } = options;
  const places = new PersistentDiskPlaces({ zoneMap: new Map(Object.entries(zoneMap)), defaultZone });
  const { location, isMoved } = places.choose("snap", volumeAz, source, call);
  const where = location.scope === "zones" ? location.name : location.replicaZones.join("__");
  return isMoved ? `moved to ${where}` : where;
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof PluginError ? `${error.kind}: ${error.message}` : String(error);
  }
  return "no refusal";
}

test("a recorded zone that no named region has is refused with both keys named", () => {
  const text = refusal(() => choose("asia-east1-a", { zoneMap: { "us-central1-a": "europe-west1-b" } }));

  assert.match(text, /^invalid-config.*asia-east1-a.*europe-west1.*zoneMap.*defaultZone/);
});

test("a disk of two zones is never restored into one of them twice, nor into a single default", () => {
  const both = { "us-central1-a": "europe-west1-b", "us-central1-b": "europe-west1-b" };

  assert.match(
    refusal(() => choose("us-central1-a__us-central1-b", { zoneMap: both })),
    /two different ones/,
  );
  assert.match(
    refusal(() => choose("us-central1-a__us-central1-b", { defaultZone: "europe-west1-b" })),
    /ZONE__ZONE/,
  );
});

test("without zones of the location a disk is restored where the backup says, in any region", () => {
  assert.equal(choose("asia-east1-a", {}), "asia-east1-a");
  assert.equal(choose("", {}, zonal), "us-central1-a");
  assert.match(
    refusal(() => choose("", {}, regional)),
    /zone/,
  );
});

test("zones are mapped, also both of a disk that has two, and as a pair", () => {
  const zoneMap = { "us-central1-a": "europe-west1-b", "us-central1-b": "europe-west1-c" };

  assert.equal(choose("us-central1-a", { zoneMap }), "moved to europe-west1-b");
  assert.equal(choose("us-central1-a__us-central1-b", { zoneMap }), "moved to europe-west1-b__europe-west1-c");
  const pair = { "us-central1-a__us-central1-b": "europe-west1-c__europe-west1-d" };
  assert.equal(choose("us-central1-a__us-central1-b", { zoneMap: pair }), "moved to europe-west1-c__europe-west1-d");
});

test("the default is for what is neither mapped nor in its region", () => {
  assert.equal(choose("us-central1-c", { defaultZone: "europe-west1-d" }), "moved to europe-west1-d");
  assert.equal(choose("europe-west1-b", { defaultZone: "europe-west1-d" }), "europe-west1-b");
  assert.equal(choose("", { defaultZone: "europe-west1-d" }, zonal), "moved to europe-west1-d");
});

test("of a default of two zones a disk with one takes the first, a disk with two takes both", () => {
  const defaultZone = "europe-west1-b__europe-west1-c";

  assert.equal(choose("us-central1-c", { defaultZone }), "moved to europe-west1-b");
  assert.equal(choose("us-central1-a__us-central1-c", { defaultZone }), "moved to europe-west1-b__europe-west1-c");
  assert.equal(choose("", { defaultZone }, regional), "moved to europe-west1-b__europe-west1-c");
});
