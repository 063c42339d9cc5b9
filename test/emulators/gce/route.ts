import type { Handler } from "./call.ts";
import { deleteDisk, getDisk, insertDisk } from "./disks.ts";
import { listAllDisks, listDisks, listDiskTypes, listSnapshots } from "./lists.ts";
import { getOperation, waitForOperation } from "./operations.ts";
import type { Place } from "./place.ts";
import { getDiskType, getProject, getRegion, getZone } from "./projects.ts";
import { setDiskLabels, setSnapshotLabels } from "./set-labels.ts";
import { createSnapshot, deleteSnapshot, getSnapshot, insertSnapshot } from "./snapshots.ts";

/** What a request asks for. */
export interface Route {
  readonly operation: string;
  readonly project: string;
  readonly place: Place;
  readonly name: string;
  /** Absent where it is nothing that is known. */
  readonly handler?: Handler;
}

type Entry = readonly [string, Handler];

// By method, collection, whether a name follows, and what follows the name.
const placed: Readonly<Record<string, Entry>> = {
  "GET disks": ["disks.list", listDisks],
  "POST disks": ["disks.insert", insertDisk],
  "GET disks/*": ["disks.get", getDisk],
  "DELETE disks/*": ["disks.delete", deleteDisk],
  "POST disks/*/createSnapshot": ["disks.createSnapshot", createSnapshot],
  "POST disks/*/setLabels": ["disks.setLabels", setDiskLabels],
  "GET diskTypes": ["diskTypes.list", listDiskTypes],
  "GET diskTypes/*": ["diskTypes.get", getDiskType],
};
const operationEntries: Readonly<Record<string, Entry>> = {
  "GET operations/*": ["operations.get", getOperation],
  "POST operations/*/wait": ["operations.wait", waitForOperation],
};
const byPlace: Readonly<Record<Place["kind"], Readonly<Record<string, Entry>>>> = {
  zone: { ...placed, ...operationEntries, "GET ": ["zones.get", getZone] },
  region: { ...placed, ...operationEntries, "GET ": ["regions.get", getRegion] },
  global: {
    ...operationEntries,
    "GET snapshots": ["snapshots.list", listSnapshots],
    "POST snapshots": ["snapshots.insert", insertSnapshot],
    "GET snapshots/*": ["snapshots.get", getSnapshot],
    "DELETE snapshots/*": ["snapshots.delete", deleteSnapshot],
    "POST snapshots/*/setLabels": ["snapshots.setLabels", setSnapshotLabels],
  },
};

const form = /^\/compute\/v1\/projects\/([^/]+)(?:\/(zones|regions)\/([^/]+)|\/(global|aggregated))?(?:\/(.+))?$/;

/** Finds what a request asks for. */
export function findRoute(method: string, path: string): Route {
  const match = form.exec(path);
  if (match === null) return { operation: "unknown", project: "", place: { kind: "global" }, name: "" };
  const [, project = "", places, placeName = "", scope = "", rest = ""] = match;
  const place = readPlace(places, placeName);
  const [collection = "", name = "", ...verbs] = rest.split("/");
  const pattern = [collection, ...(name === "" ? [] : ["*"]), ...verbs].join("/");
  const found = entriesOf(place, places ?? scope)[`${method} ${pattern}`];
  if (found === undefined) return { operation: "unknown", project, place, name };
  const [operation, handler] = found;
  return { operation: prefixed(operation, place), project, place, name, handler };
}

function readPlace(places: string | undefined, name: string): Place {
  if (places === undefined) return { kind: "global" };
  return { kind: places === "zones" ? "zone" : "region", name };
}

function entriesOf(place: Place, scope: string): Readonly<Record<string, Entry>> {
  if (scope === "") return { "GET ": ["projects.get", getProject] };
  return scope === "aggregated" ? { "GET disks": ["disks.aggregatedList", listAllDisks] } : byPlace[place.kind];
}

/** The API has regional disks and the three kinds of operations under names of their own. */
function prefixed(operation: string, place: Place): string {
  const [collection = "", method = ""] = operation.split(".");
  if (collection === "operations") return `${place.kind}Operations.${method}`;
  if (place.kind !== "region" || (collection !== "disks" && collection !== "diskTypes")) return operation;
  return `region${collection.slice(0, 1).toUpperCase()}${collection.slice(1)}.${method}`;
}
