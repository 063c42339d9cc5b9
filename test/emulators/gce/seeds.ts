import { checkType } from "./disk-types.ts";
import type { Disk, Snapshot } from "./model.ts";
import type { Labels } from "./labels.ts";
import { regionOf } from "./place.ts";
import { multiRegionOf } from "./regions.ts";

/** The names that the stand-ins of Google Cloud have when none are given. */
export const gcpDefaults = {
  projectId: "flotilla",
  region: "us-central1",
  otherRegion: "europe-west1",
  zone: "us-central1-a",
  serviceAccount: "velero@flotilla.iam.gserviceaccount.com",
} as const;

/** A disk to put there. */
export interface GceDiskSeed {
  readonly name: string;
  readonly project?: string;
  /** Default: that of `gcpDefaults`. */
  readonly zone?: string;
  /** Two zones of one region: the disk is a regional one. */
  readonly replicaZones?: readonly [string, string];
  /** Default: pd-balanced. */
  readonly type?: string;
  /** Default: 10. */
  readonly sizeGb?: number;
  readonly iops?: number;
  readonly throughput?: number;
  readonly labels?: Labels;
  readonly description?: string;
  readonly kmsKeyName?: string;
  /** The names of instances of the zone that it is attached to. */
  readonly users?: readonly string[];
}

/** A snapshot to put there. */
export interface GceSnapshotSeed {
  readonly name: string;
  readonly project?: string;
  /** The path of the disk, which need not exist. */
  readonly source?: string;
  readonly sizeGb?: number;
  readonly labels?: Labels;
  readonly description?: string;
  readonly kmsKeyName?: string;
  readonly storageLocation?: string;
}

/** Makes a disk that is ready. */
export function makeDisk(seed: GceDiskSeed, id: string, nowMs: number): Disk {
  const { project = gcpDefaults.projectId, type = "pd-balanced", replicaZones, users = [] } = seed;
  const zone = replicaZones?.[0] ?? seed.zone ?? gcpDefaults.zone;
  const place =
    replicaZones === undefined
      ? { kind: "zone" as const, name: zone }
      : { kind: "region" as const, name: regionOf(zone) };
  const sizeGb = seed.sizeGb ?? 10;
  const { description, kmsKeyName, labels = {}, iops, throughput } = seed;
  return {
    project,
    place,
    name: seed.name,
    id,
    type,
    sizeGb,
    ...checkType(place.kind, type, sizeGb, { iops, throughput }),
    replicaZones: replicaZones ?? [],
    labels,
    ...(description === undefined ? {} : { description }),
    ...(kmsKeyName === undefined ? {} : { kmsKeyName }),
    users: users.map((name) => `projects/${project}/zones/${zone}/instances/${name}`),
    rest: {},
    createdMs: nowMs,
    readyMs: nowMs,
  };
}

/** Makes a snapshot that is ready. */
export function makeSnapshot(seed: GceSnapshotSeed, id: string, nowMs: number): Snapshot {
  const { project = gcpDefaults.projectId, sizeGb = 10, labels = {}, description, kmsKeyName } = seed;
  const { source = `projects/${project}/zones/${gcpDefaults.zone}/disks/gone` } = seed;
  return {
    project,
    name: seed.name,
    id,
    source: { path: source, id: "1" },
    sizeGb,
    labels,
    ...(description === undefined ? {} : { description }),
    ...(kmsKeyName === undefined ? {} : { kmsKeyName }),
    storageLocation: seed.storageLocation ?? multiRegionOf(gcpDefaults.region),
    type: "STANDARD",
    rest: {},
    createdMs: nowMs,
    uploadMs: nowMs,
    readyMs: nowMs,
  };
}
