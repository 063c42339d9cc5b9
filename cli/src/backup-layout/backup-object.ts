import type { JsonObject } from "@flotilla/sdk/plugin";

import { formatTime } from "../output/units.ts";
import { formatVersion } from "./tarball-writer.ts";

/** What a backup is made of, as far as its Backup object tells. */
export interface BackupSummary {
  readonly name: string;
  readonly uid: string;
  readonly storageLocation: string;
  readonly volumeLocation: string | undefined;
  readonly startedAt: Date;
  readonly completedAt: Date;
  readonly ttlHours: number;
  readonly itemCount: number;
  readonly snapshotsAttempted: number;
  readonly snapshotsCompleted: number;
}

const hourMs = 3_600_000;

/** The Backup object that the server stores as velero-backup.json and creates in other clusters from there. */
export function backupObject(backup: BackupSummary): JsonObject {
  const { name, uid, storageLocation, volumeLocation, startedAt, completedAt, ttlHours, itemCount } = backup;
  const progress = { totalItems: itemCount, itemsBackedUp: itemCount };
  return {
    apiVersion: "velero.io/v1",
    kind: "Backup",
    metadata: {
      name,
      namespace: "velero",
      uid,
      creationTimestamp: formatTime(startedAt),
      labels: { "velero.io/storage-location": storageLocation },
    },
    spec: {
      includedNamespaces: ["*"],
      storageLocation,
      volumeSnapshotLocations: volumeLocation === undefined ? [] : [volumeLocation],
      snapshotVolumes: volumeLocation !== undefined,
      ttl: `${ttlHours}h0m0s`,
      csiSnapshotTimeout: "10m0s",
      itemOperationTimeout: "4h0m0s",
      defaultVolumesToFsBackup: false,
      snapshotMoveData: false,
      hooks: {},
      metadata: {},
    },
    status: {
      version: 1,
      formatVersion,
      phase: "Completed",
      startTimestamp: formatTime(startedAt),
      completionTimestamp: formatTime(completedAt),
      expiration: formatTime(new Date(startedAt.getTime() + ttlHours * hourMs)),
      progress,
      volumeSnapshotsAttempted: backup.snapshotsAttempted,
      volumeSnapshotsCompleted: backup.snapshotsCompleted,
      hookStatus: {},
    },
  };
}
