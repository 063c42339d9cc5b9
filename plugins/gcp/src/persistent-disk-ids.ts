import { randomUUID } from "node:crypto";
import { PluginError } from "@flotilla/sdk/plugin";

/** Where a disk is: in one zone, or in two zones of a region. */
export type DiskLocation =
  | { readonly scope: "zones"; readonly name: string }
  | { readonly scope: "regions"; readonly name: string; readonly replicaZones: readonly string[] };

/** A disk by its place. */
export interface DiskId {
  readonly type: "disks";
  readonly project: string;
  readonly location: DiskLocation;
  readonly name: string;
}

/** A snapshot by its place: Compute Engine has one list of them a project. */
export interface SnapshotId {
  readonly type: "snapshots";
  readonly project: string;
  readonly name: string;
}

/** A disk or a snapshot. */
export type GceId = DiskId | SnapshotId;

/** The handle that the CSI driver gives to a disk. */
export interface DiskHandle {
  readonly project: string;
  readonly scope: "zones" | "regions";
  readonly location: string;
  readonly name: string;
}

const handlePattern = /^projects\/([^/]+)\/(zones|regions)\/([^/]+)\/disks\/([^/]+)$/;
const diskUrlPattern = /\/projects\/([^/]+)\/(zones|regions)\/([^/]+)\/disks\/([^/]+)$/;
const resourceNamePattern = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const zonePattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/;

/** Between the zones of a regional disk, as the server joins them. */
export const zoneSeparator = "__";

const maxNameLength = 63;

/** Reads the handle of a CSI volume; undefined for one of another form. */
export function parseDiskHandle(text: string): DiskHandle | undefined {
  return partsIn(handlePattern, text);
}

/** Reads the URL of a disk, as snapshots name theirs; undefined for one of another form. */
export function parseDiskUrl(text: string): DiskHandle | undefined {
  return partsIn(diskUrlPattern, text);
}

/** The handle in the CSI driver's form. */
export function printDiskHandle({ project, scope, location, name }: DiskHandle): string {
  return `projects/${project}/${scope}/${location}/disks/${name}`;
}

/** A disk or snapshot as the service's URLs end. */
export function printGceId(id: GceId): string {
  if (id.type === "snapshots") return `projects/${id.project}/global/snapshots/${id.name}`;
  const { scope, name: location } = id.location;
  return printDiskHandle({ project: id.project, scope, location, name: id.name });
}

/** Where the server says that a volume is: `zone`, or `zone__zone` for a regional disk. */
export function readLocation(volumeAz: string): DiskLocation {
  const zones = volumeAz.split(zoneSeparator);
  const [first = ""] = zones;
  if (!zones.every((zone) => zonePattern.test(zone)))
    throw new PluginError(
      `read the availability zone "${volumeAz}": it is neither a zone of Google Cloud nor zones joined by ${zoneSeparator}`,
      { kind: "invalid-argument" },
    );
  if (zones.length === 1) return { scope: "zones", name: first };
  return { scope: "regions", name: regionOf(first), replicaZones: zones };
}

/** The zones of such a text; none of an empty one. */
export function zonesIn(volumeAz: string): readonly string[] {
  return volumeAz === "" ? [] : volumeAz.split(zoneSeparator);
}

/** The region of a zone. */
export function regionOf(zone: string): string {
  return zone.slice(0, zone.lastIndexOf("-"));
}

/** The name of a disk or snapshot that the server hands over; anything else never reaches a URL. */
export function requireName(name: string, word: "volume" | "snapshot"): string {
  if (resourceNamePattern.test(name)) return name;
  throw new PluginError(`read the ${word} id "${name}": it is not the name of a ${word} of Compute Engine`, {
    kind: "invalid-argument",
  });
}

/** The name of a new snapshot: the disk's, cut to what Compute Engine allows, and something that no other has. */
export function newSnapshotName(diskName: string, uniqueId: string = randomUUID()): string {
  const suffix = `-${uniqueId}`;
  return diskName.slice(0, maxNameLength - suffix.length) + suffix;
}

/** The name of a new disk. */
export function newDiskName(uniqueId: string = randomUUID()): string {
  return `restore-${uniqueId}`;
}

function partsIn(pattern: RegExp, text: string): DiskHandle | undefined {
  const [, project, scope, location, name] = pattern.exec(text) ?? [];
  if (project === undefined || location === undefined || name === undefined) return undefined;
  return { project, scope: scope === "regions" ? "regions" : "zones", location, name };
}
