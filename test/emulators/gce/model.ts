import type { Problem } from "./gce-error.ts";
import type { Place } from "./place.ts";

/** What disks and snapshots have in common, as kept; what changes by itself is computed from the times. */
interface Resource {
  readonly project: string;
  readonly name: string;
  /** A number that no other resource has. */
  readonly id: string;
  readonly description?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly kmsKeyName?: string;
  readonly createdMs: number;
  /** When it can be used, and why it never can if that is so. */
  readonly readyMs: number;
  readonly failure?: Problem;
  /** When it is gone, after a delete. */
  readonly goneMs?: number;
}

/** A disk. */
export interface Disk extends Resource {
  readonly place: Exclude<Place, { kind: "global" }>;
  readonly type: string;
  readonly sizeGb: number;
  readonly iops?: number;
  readonly throughput?: number;
  /** The zones of a regional disk. */
  readonly replicaZones: readonly string[];
  /** The path of the snapshot that it was made of, and the snapshot's id. */
  readonly source?: { readonly path: string; readonly id: string };
  /** The paths of the instances that it is attached to. */
  readonly users: readonly string[];
  /** Fields that the stand-in keeps without a meaning of its own. */
  readonly rest: Readonly<Record<string, unknown>>;
}

/** A snapshot. */
export interface Snapshot extends Resource {
  /** The path of the disk, and the disk's id. */
  readonly source: { readonly path: string; readonly id: string };
  readonly sizeGb: number;
  readonly storageLocation: string;
  readonly type: string;
  /** When the copying of the blocks begins. */
  readonly uploadMs: number;
  readonly rest: Readonly<Record<string, unknown>>;
}

/** Something that goes on after an answer. */
export interface Operation {
  readonly project: string;
  readonly place: Place;
  readonly name: string;
  readonly id: string;
  readonly type: string;
  /** The path of what it is about. */
  readonly target: string;
  readonly targetId: string;
  readonly user: string;
  readonly startedMs: number;
  readonly doneMs: number;
  readonly failure?: Problem;
}

/** Returns a disk's path. */
export function diskPath({ project, place, name }: Pick<Disk, "project" | "place" | "name">): string {
  return `projects/${project}/${place.kind}s/${place.name}/disks/${name}`;
}

/** Returns a snapshot's path. */
export function snapshotPath({ project, name }: Pick<Snapshot, "project" | "name">): string {
  return `projects/${project}/global/snapshots/${name}`;
}

/** Tells how a disk is. */
export function diskStatus(disk: Disk, nowMs: number): string {
  if (disk.goneMs !== undefined) return "DELETING";
  if (nowMs < disk.readyMs) return disk.source === undefined ? "CREATING" : "RESTORING";
  return disk.failure === undefined ? "READY" : "FAILED";
}

/** Tells how a snapshot is. */
export function snapshotStatus(snapshot: Snapshot, nowMs: number): string {
  if (snapshot.goneMs !== undefined) return "DELETING";
  if (nowMs < snapshot.uploadMs) return "CREATING";
  if (nowMs < snapshot.readyMs) return "UPLOADING";
  return snapshot.failure === undefined ? "READY" : "FAILED";
}

/** Tells how far an operation is. */
export function operationStatus({ startedMs, doneMs }: Operation, nowMs: number): "PENDING" | "RUNNING" | "DONE" {
  if (nowMs >= doneMs) return "DONE";
  return nowMs < startedMs + (doneMs - startedMs) / 4 ? "PENDING" : "RUNNING";
}
