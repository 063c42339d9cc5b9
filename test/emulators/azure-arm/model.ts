import type { Problem } from "./arm-error.ts";
import type { ResourceId } from "./resource-id.ts";

/** How something is encrypted at rest. */
export interface Encryption {
  readonly type: EncryptionType;
  readonly diskEncryptionSetId?: string;
}

export const encryptionTypes = [
  "EncryptionAtRestWithPlatformKey",
  "EncryptionAtRestWithCustomerKey",
  "EncryptionAtRestWithPlatformAndCustomerKeys",
] as const;

/** The ways of encryption at rest. */
export type EncryptionType = (typeof encryptionTypes)[number];

export const diskSkus = [
  "Standard_LRS",
  "StandardSSD_LRS",
  "StandardSSD_ZRS",
  "Premium_LRS",
  "Premium_ZRS",
  "PremiumV2_LRS",
  "UltraSSD_LRS",
] as const;

/** The kinds of managed disks. */
export type DiskSku = (typeof diskSkus)[number];

export const snapshotSkus = ["Standard_LRS", "Standard_ZRS", "Premium_LRS"] as const;

/** Where a snapshot is kept. */
export type SnapshotSku = (typeof snapshotSkus)[number];

/** How something came to be, as it was asked for. */
export interface CreationData {
  readonly createOption: string;
  readonly sourceResourceId?: string;
  readonly sourceUniqueId?: string;
  /** The other fields, unchanged. */
  readonly rest: Readonly<Record<string, unknown>>;
}

interface Managed {
  readonly id: ResourceId;
  readonly uniqueId: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly sizeGiB: number;
  readonly encryption: Encryption;
  readonly creation: CreationData;
  readonly createdMs: number;
  /** When the last write to it is done, and why it failed if it did. */
  readonly readyMs: number;
  readonly failure?: Problem;
  /** When it is gone, after a delete. */
  readonly goneMs?: number;
  /** Until when a signed URL for its content holds. */
  readonly accessUntilMs?: number;
  /** Properties that the stand-in keeps without a meaning of its own. */
  readonly rest: Readonly<Record<string, unknown>>;
}

/** A disk, as kept. What changes by itself is computed from the times. */
export interface Disk extends Managed {
  readonly sku: DiskSku;
  readonly zones: readonly string[];
  readonly iops: number;
  readonly mbps: number;
  /** The virtual machine that it is attached to. */
  readonly managedBy?: string;
}

/** A snapshot, as kept. */
export interface Snapshot extends Managed {
  readonly sku: SnapshotSku;
  readonly isIncremental: boolean;
  /** The same for all incremental snapshots of a disk, and another one for their copies in a region. */
  readonly familyId?: string;
  /** When the background copy began and when it ends. */
  readonly copyStartMs: number;
  readonly copiedMs: number;
  /** Whether it can be used only after the background copy. */
  readonly needsCopy: boolean;
  /** When and why the background copy failed. */
  readonly copyFailure?: Problem & { readonly atMs: number };
}

/** A disk encryption set: only what disks and snapshots ask of it. */
export interface DiskEncryptionSet {
  readonly id: ResourceId;
  readonly location: string;
  readonly type: EncryptionType;
  /** Why its key cannot be used, which Azure finds out after it has answered. */
  readonly failure?: Problem;
}

/** Something that goes on after an answer. */
export interface Operation {
  readonly name: string;
  readonly subscriptionId: string;
  readonly location: string;
  /** The resource that it makes, changes or deletes. */
  readonly resource: ResourceId;
  readonly verb: "write" | "delete" | "grant" | "revoke";
  readonly startedMs: number;
  readonly readyMs: number;
  readonly failure?: Problem;
  /** When a later delete took its place. */
  readonly preemptedMs?: number;
  /** What it answers at its end; the resource itself for a write. */
  readonly output?: Readonly<Record<string, unknown>>;
}

/** Tells how far the background copy of a snapshot is. */
export function completionPercent(snapshot: Snapshot, nowMs: number): number {
  const until = Math.min(nowMs, snapshot.copyFailure?.atMs ?? nowMs);
  if (until >= snapshot.copiedMs) return 100;
  const whole = snapshot.copiedMs - snapshot.copyStartMs;
  const percent = Math.max(0, (100 * (until - snapshot.copyStartMs)) / whole);
  return Math.min(99, Math.round(percent * 10) / 10);
}

/** Tells how far the last write, or the delete, of something is. */
export function provisioningState(one: Disk | Snapshot, nowMs: number): string {
  if (one.goneMs !== undefined) return "Deleting";
  if (nowMs < one.readyMs) return "Updating";
  return one.failure === undefined ? "Succeeded" : "Failed";
}
