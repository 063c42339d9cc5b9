import type { Disk, Snapshot } from "@azure/arm-compute";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Tags } from "@flotilla/sdk/volumes";
import { printComputeId } from "./managed-disk-ids.ts";
import type { ComputeId } from "./managed-disk-ids.ts";
import { isProvisioned } from "./managed-disk-marks.ts";
import type { RestoredShape } from "./managed-disk-restore.ts";
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

/** The request for a disk made from a snapshot; `iops` is what the backup recorded. */
export function diskOf(snapshot: ComputeId, found: Snapshot, shape: RestoredShape, iops: bigint | undefined): Disk {
  const { volumeType, zone, encryption } = shape;
  const { logicalSectorSize, ...performance } = performanceOf(shape, iops);
  return {
    location: found.location,
    tags: { ...diskTags(readTags(found.tags)) },
    creationData: { createOption: "Copy", sourceResourceId: printComputeId(snapshot), ...logicalSectorSize },
    ...(volumeType === "" ? {} : { sku: { name: volumeType } }),
    ...(zone === undefined ? {} : { zones: [zone] }),
    ...(encryption === undefined ? {} : { encryption }),
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

/** The size of the disk that a snapshot is of, in bytes. */
export function volumeBytes({ diskSizeBytes, diskSizeGB }: Snapshot): bigint {
  return diskSizeBytes === undefined ? BigInt(diskSizeGB ?? 0) * 1024n ** 3n : BigInt(diskSizeBytes);
}

function performanceOf(
  { volumeType, marks }: RestoredShape,
  iops = 0n,
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
