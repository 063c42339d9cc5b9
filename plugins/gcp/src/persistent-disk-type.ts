import type { DiskLocation } from "./persistent-disk-ids.ts";

// Which performance is bought apart from a disk's size; of other types the service refuses it.
// https://cloud.google.com/compute/docs/disks/hyperdisks#performance
const typesWithIops = new Set([
  "pd-extreme",
  "hyperdisk-extreme",
  "hyperdisk-balanced",
  "hyperdisk-balanced-high-availability",
]);
const typesWithThroughput = new Set([
  "hyperdisk-throughput",
  "hyperdisk-ml",
  "hyperdisk-balanced",
  "hyperdisk-balanced-high-availability",
]);

/** The bare name of a disk type, of whatever URL the backup recorded. */
export function diskTypeName(volumeType: string): string {
  return volumeType.slice(volumeType.lastIndexOf("/") + 1);
}

/**
 * The recorded type where the disk is restored: the official plugin records a URL that names the project and the zone
 * of the disk that was backed up, and no other zone takes it.
 */
export function diskTypeUrl(volumeType: string, project: string, { scope, name }: DiskLocation): string {
  return `projects/${project}/${scope}/${name}/diskTypes/${diskTypeName(volumeType)}`;
}

/** Whether disks of this type have IOPS of their own. */
export function hasIops(volumeType: string): boolean {
  return typesWithIops.has(diskTypeName(volumeType));
}

/** Whether disks of this type have throughput of their own. */
export function hasThroughput(volumeType: string): boolean {
  return typesWithThroughput.has(diskTypeName(volumeType));
}

/** Whether several machines may share a disk of this type. */
export function hasAccessMode(volumeType: string): boolean {
  return diskTypeName(volumeType).startsWith("hyperdisk-");
}
