import { writeKmsKey } from "./encryption.ts";
import { fingerprintOf } from "./labels.ts";
import type { Labels } from "./labels.ts";
import { diskPath, diskStatus, snapshotPath, snapshotStatus } from "./model.ts";
import type { Disk, Snapshot } from "./model.ts";
import { linkTo } from "./place.ts";

type Json = Readonly<Record<string, unknown>>;

const gb = 1024 ** 3;

/** Writes a disk as the API answers it. */
export function writeDisk(disk: Disk, nowMs: number): Json {
  const { project, place, source, replicaZones, users, iops, throughput } = disk;
  const here = `projects/${project}/${place.kind}s/${place.name}`;
  return {
    kind: "compute#disk",
    ...common(disk),
    ...disk.rest,
    [place.kind]: linkTo(here),
    status: diskStatus(disk, nowMs),
    type: linkTo(`${here}/diskTypes/${disk.type}`),
    sizeGb: String(disk.sizeGb),
    physicalBlockSizeBytes: "4096",
    ...(source === undefined ? {} : { sourceSnapshot: linkTo(source.path), sourceSnapshotId: source.id }),
    ...(replicaZones.length === 0
      ? {}
      : { replicaZones: replicaZones.map((zone) => linkTo(`projects/${project}/zones/${zone}`)) }),
    ...(users.length === 0 ? {} : { users: users.map(linkTo) }),
    ...(iops === undefined ? {} : { provisionedIops: String(iops) }),
    ...(throughput === undefined ? {} : { provisionedThroughput: String(throughput) }),
    ...writeKmsKey("diskEncryptionKey", disk.kmsKeyName),
    selfLink: linkTo(diskPath(disk)),
  };
}

/** Writes a snapshot as the API answers it. */
export function writeSnapshot(snapshot: Snapshot, nowMs: number): Json {
  const status = snapshotStatus(snapshot, nowMs);
  const isReady = status === "READY";
  return {
    kind: "compute#snapshot",
    ...common(snapshot),
    ...snapshot.rest,
    status,
    sourceDisk: linkTo(snapshot.source.path),
    sourceDiskId: snapshot.source.id,
    diskSizeGb: String(snapshot.sizeGb),
    storageBytes: isReady ? String(snapshot.sizeGb * gb) : "0",
    storageBytesStatus: isReady ? "UP_TO_DATE" : "UPDATING",
    ...(isReady ? { downloadBytes: String(snapshot.sizeGb * gb) } : {}),
    creationSizeBytes: String(snapshot.sizeGb * gb),
    storageLocations: [snapshot.storageLocation],
    snapshotType: snapshot.type,
    autoCreated: false,
    ...writeKmsKey("snapshotEncryptionKey", snapshot.kmsKeyName),
    selfLink: linkTo(snapshotPath(snapshot)),
  };
}

function common(one: {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly labels: Labels;
  readonly createdMs: number;
}): Json {
  return {
    id: one.id,
    creationTimestamp: new Date(one.createdMs).toISOString(),
    name: one.name,
    ...(one.description === undefined ? {} : { description: one.description }),
    ...(Object.keys(one.labels).length === 0 ? {} : { labels: one.labels }),
    labelFingerprint: fingerprintOf(one.labels),
  };
}
