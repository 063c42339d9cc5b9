import type { Disk, Snapshot } from "@azure/arm-compute";
import { PluginError } from "@flotilla/sdk/plugin";
import type { VolumeFromSnapshot } from "@flotilla/sdk/plugin";
import type { Tags } from "@flotilla/sdk/volumes";
import { printComputeId } from "./managed-disk-ids.ts";
import type { ComputeId } from "./managed-disk-ids.ts";
import { isProvisioned, readMarks } from "./managed-disk-marks.ts";
import type { DiskMarks } from "./managed-disk-marks.ts";
import { diskTags, readTags } from "./managed-disk-tags.ts";

// Those of snapshotAccessState that let a disk be made before the copy is complete.
const openedStates = new Set(["Available", "InstantAccess", "AvailableWithInstantAccess"]);

/** The request for a snapshot of a disk. */
export function snapshotOf(disk: ComputeId, found: Disk, tags: Tags, incremental: boolean | undefined): Snapshot {
  // Azure refuses full snapshots of these disks, and a backup is better than none.
  const isIncremental = isProvisioned(found.sku?.name) ? true : incremental;
  return {
    location: found.location,
    tags: { ...tags },
    creationData: { createOption: "Copy", sourceResourceId: printComputeId(disk) },
    ...(isIncremental === undefined ? {} : { incremental: isIncremental }),
  };
}

/** The request for a disk made from a snapshot. */
export function diskOf(snapshot: ComputeId, found: Snapshot, request: VolumeFromSnapshot): Disk {
  const tags = readTags(found.tags);
  const marks = readMarks(tags);
  const zone = zoneOf(request, marks);
  const { logicalSectorSize, ...performance } = performanceOf(request, marks);
  return {
    location: found.location,
    tags: { ...diskTags(tags) },
    creationData: { createOption: "Copy", sourceResourceId: printComputeId(snapshot), ...logicalSectorSize },
    ...(request.volumeType === "" ? {} : { sku: { name: request.volumeType } }),
    ...(zone === undefined ? {} : { zones: [zone] }),
    ...(marks.encryption === undefined ? {} : { encryption: marks.encryption }),
    ...performance,
  };
}

/** Whether a disk can be made of a snapshot: Azure makes none of one whose bytes are still under way. */
export function isUsable(snapshot: Snapshot): boolean {
  return (copiedPercent(snapshot) ?? 100) >= 100 || openedStates.has(snapshot.snapshotAccessState ?? "");
}

/** How many percent of a snapshot's bytes are there; undefined where nothing is copied. A failed copy throws. */
export function copiedPercent({ name, completionPercent, copyCompletionError: error }: Snapshot): number | undefined {
  if (error === undefined) return completionPercent;
  throw new PluginError(
    `the background copy of snapshot "${name ?? ""}" failed (${error.errorCode}): ${error.errorMessage}; it cannot be restored`,
    { kind: "corrupt", code: error.errorCode },
  );
}

function zoneOf({ volumeAz, volumeType }: VolumeFromSnapshot, marks: DiskMarks): string | undefined {
  if (volumeType.endsWith("_ZRS")) return undefined;
  const parts = volumeAz.split("-");
  return parts.length > 1 ? parts.at(-1) : marks.zone;
}

function performanceOf(
  { volumeType, iops = 0n }: VolumeFromSnapshot,
  marks: DiskMarks,
): Pick<Disk, "diskIopsReadWrite" | "diskMBpsReadWrite"> & { logicalSectorSize?: { logicalSectorSize: number } } {
  if (!isProvisioned(volumeType)) return {};
  const diskIops = iops > 0n ? Number(iops) : marks.iops;
  return {
    ...(diskIops === undefined ? {} : { diskIopsReadWrite: diskIops }),
    ...(marks.throughput === undefined ? {} : { diskMBpsReadWrite: marks.throughput }),
    ...(marks.logicalSectorSize === undefined
      ? {}
      : { logicalSectorSize: { logicalSectorSize: marks.logicalSectorSize } }),
  };
}
