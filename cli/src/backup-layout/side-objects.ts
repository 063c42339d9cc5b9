import { printJson } from "@flotilla/sdk/plugin";
import type { JsonValue, PersistentVolume } from "@flotilla/sdk/plugin";

import { gzipText } from "./gzip.ts";
import type { BackupKeys } from "./keys.ts";
import { claimOf, labelsOf, reclaimPolicyOf } from "./persistent-volume-fields.ts";
import type { Resource } from "./resource.ts";
import { printSnapshotRecord } from "./snapshot-record.ts";
import type { SnapshotRecord } from "./snapshot-record.ts";

/** A snapshot that was made, with what the server's volume info tells of it. */
export interface TakenSnapshot {
  readonly record: SnapshotRecord;
  readonly persistentVolume: PersistentVolume;
}

/** The small objects that the server stores after a backup's contents. */
export async function sideObjects(
  keys: BackupKeys,
  backup: { readonly resources: readonly Resource[]; readonly snapshots: readonly TakenSnapshot[] },
): Promise<ReadonlyMap<string, Uint8Array>> {
  const contents: readonly (readonly [string, JsonValue])[] = [
    [keys.podVolumeBackups, []],
    [keys.volumeSnapshots, backup.snapshots.map(({ record }) => printSnapshotRecord(record))],
    [keys.itemOperations, []],
    [keys.resourceList, resourceList(backup.resources)],
    [keys.csiVolumeSnapshots, []],
    [keys.csiVolumeSnapshotContents, []],
    [keys.csiVolumeSnapshotClasses, []],
    [keys.results, { errors: {}, warnings: {} }],
    [keys.volumeInfo, backup.snapshots.map(volumeInfo)],
  ];
  const compressed = await Promise.all(
    contents.map(async ([key, value]) => [key, await gzipText(printJson(value))] as const),
  );
  return new Map(compressed);
}

/** By API version and kind: the names, with their namespaces, in order. */
function resourceList(resources: readonly Resource[]): JsonValue {
  const groups = Map.groupBy(resources, ({ apiVersion, kind }) => `${apiVersion}/${kind}`);
  return Object.fromEntries(
    [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([kind, members]) => [kind, members.map(fullName).sort()]),
  );
}

function fullName({ namespace, name }: Resource): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function volumeInfo({ record, persistentVolume }: TakenSnapshot): JsonValue {
  const claim = claimOf(persistentVolume);
  return {
    ...(claim === undefined ? {} : { pvcName: claim.name, pvcNamespace: claim.namespace }),
    pvName: record.persistentVolumeName,
    backupMethod: "NativeSnapshot",
    snapshotDataMoved: false,
    preserveLocalSnapshot: false,
    skipped: false,
    result: "succeeded",
    nativeSnapshotInfo: {
      snapshotHandle: record.snapshotId,
      volumeType: record.volumeType,
      volumeAZ: record.volumeAz,
      iops: String(record.iops ?? 0n),
      // Spelled so by the server, alone among its fields.
      Phase: "Completed",
    },
    pvInfo: { reclaimPolicy: reclaimPolicyOf(persistentVolume), labels: labelsOf(persistentVolume) },
  };
}
