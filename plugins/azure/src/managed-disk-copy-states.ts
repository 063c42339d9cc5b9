import type { Snapshot } from "@azure/arm-compute";
import type { SnapshotCopy, SnapshotOrigin } from "@flotilla/sdk/plugin";
import { backupOf, originRegionOf } from "./managed-disk-copy-tags.ts";
import { parseComputeId, printComputeId, printVolumeRef } from "./managed-disk-ids.ts";
import type { ComputeId, Place } from "./managed-disk-ids.ts";
import { isUsable, volumeBytes } from "./managed-disk-requests.ts";
import { readTags } from "./managed-disk-tags.ts";

/** How a snapshot stands as the origin of copies. */
export function readOrigin(id: ComputeId, snapshot: Snapshot, disks: Place): SnapshotOrigin {
  const { creationData, timeCreated } = snapshot;
  const source = parseComputeId(creationData?.sourceResourceId ?? "");
  const { readiness, state } = readinessOf(snapshot);
  return {
    snapshotId: printComputeId(id),
    volumeId: source === undefined ? "" : printVolumeRef(source, disks),
    backup: backupOf(readTags(snapshot.tags)),
    readiness,
    state,
    progressPercent: percentOf(snapshot),
    sizeBytes: volumeBytes(snapshot),
    startedAt: timeCreated,
  };
}

/** How a copy stands. */
export function readCopy(id: ComputeId, snapshot: Snapshot, originId: string): SnapshotCopy {
  const failure = failureOf(snapshot);
  const percent = percentOf(snapshot);
  const isComplete = percent >= 100 && snapshot.provisioningState === "Succeeded";
  return {
    copyId: printComputeId(id),
    region: snapshot.location,
    originId,
    originRegion: originRegionOf(readTags(snapshot.tags)),
    state: failure !== undefined ? "failed" : isComplete ? "completed" : "pending",
    detail: failure ?? "",
    progressPercent: percent,
    startedAt: snapshot.timeCreated,
    needsTending: false,
  };
}

function readinessOf(snapshot: Snapshot): Pick<SnapshotOrigin, "readiness" | "state"> {
  const { provisioningState = "", incremental } = snapshot;
  const failure = failureOf(snapshot);
  if (failure !== undefined) return { readiness: "failed", state: failure };
  // The one word that tells why there will never be a copy of it.
  if (incremental !== true) return { readiness: "failed", state: "full: Azure copies incremental snapshots only" };
  const isReady = provisioningState === "Succeeded" && isUsable(snapshot);
  return { readiness: isReady ? "ready" : "unfinished", state: provisioningState };
}

function failureOf({ provisioningState = "", copyCompletionError }: Snapshot): string | undefined {
  if (copyCompletionError !== undefined) return `${copyCompletionError.errorCode}: ${copyCompletionError.errorMessage}`;
  return ["failed", "canceled"].includes(provisioningState.toLowerCase()) ? provisioningState : undefined;
}

function percentOf({ completionPercent, provisioningState }: Snapshot): number {
  return completionPercent ?? (provisioningState === "Succeeded" ? 100 : 0);
}
