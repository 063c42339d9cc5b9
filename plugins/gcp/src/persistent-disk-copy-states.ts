import type { SnapshotCopy, SnapshotOrigin } from "@flotilla/sdk/plugin";
import type { GceDisk, GceSnapshot } from "./gce-resources.ts";
import { backupOf } from "./persistent-disk-copy-tags.ts";
import type { CopyMarks } from "./persistent-disk-copy-tags.ts";
import { parseDiskUrl } from "./persistent-disk-ids.ts";

/** What there is of a copy: the snapshot that it becomes, the disk that this is made of, or both. */
export interface CopyParts {
  readonly name: string;
  readonly marks: CopyMarks;
  readonly snapshot: GceSnapshot | undefined;
  readonly disk: GceDisk | undefined;
}

// No request tells how far a snapshot is; this is the middle of two steps.
const halfway = 50;

/** How a snapshot stands as the origin of copies. */
export function readOrigin(snapshotId: string, snapshot: GceSnapshot): SnapshotOrigin {
  const { status = "READY", sourceDisk = "", diskSizeGb = "0", creationTimestamp, description } = snapshot;
  return {
    snapshotId,
    volumeId: parseDiskUrl(sourceDisk)?.name ?? "",
    backup: backupOf(description),
    readiness: status === "READY" ? "ready" : isLost(status) ? "failed" : "unfinished",
    state: status,
    progressPercent: status === "READY" ? 100 : 0,
    sizeBytes: BigInt(diskSizeGb) * 1024n ** 3n,
    startedAt: dateOf(creationTimestamp),
  };
}

/** How a copy stands. */
export function readCopy({ name, marks, snapshot, disk }: CopyParts): SnapshotCopy {
  const { copyOf: originId, from: originRegion, to: region } = marks;
  const state = stateOf(snapshot, disk);
  return {
    copyId: name,
    region,
    originId,
    originRegion,
    state,
    detail: state === "failed" ? `Compute Engine says ${(snapshot ?? disk)?.status ?? ""}` : "",
    progressPercent: state === "completed" ? 100 : snapshot === undefined ? 0 : halfway,
    startedAt: dateOf((snapshot ?? disk)?.creationTimestamp),
    needsTending: snapshot === undefined ? disk?.status === "READY" : state === "completed" && disk !== undefined,
  };
}

/** Whether a disk or snapshot will never be of use. */
function isLost(status: string | undefined): boolean {
  return status === "FAILED" || status === "DELETING";
}

function stateOf(snapshot: GceSnapshot | undefined, disk: GceDisk | undefined): SnapshotCopy["state"] {
  if (snapshot === undefined) return isLost(disk?.status) ? "failed" : "pending";
  if (isLost(snapshot.status)) return "failed";
  return snapshot.status === "READY" ? "completed" : "pending";
}

function dateOf(timestamp: string | undefined): Date | undefined {
  return timestamp === undefined ? undefined : new Date(timestamp);
}
