/** A volume, as kept. What changes by itself is computed from the times. */
export interface Volume {
  readonly id: string;
  readonly ownerId: string;
  readonly zone: string;
  readonly type: VolumeType;
  readonly sizeGiB: number;
  readonly iops: number | undefined;
  readonly throughput: number | undefined;
  readonly isEncrypted: boolean;
  readonly kmsKeyId: string | undefined;
  readonly snapshotId: string | undefined;
  readonly isMultiAttach: boolean;
  readonly createdMs: number;
  readonly readyMs: number;
  /** Why it will never become available. */
  readonly failure: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** A snapshot, as kept. */
export interface Snapshot {
  readonly id: string;
  readonly ownerId: string;
  readonly volumeId: string;
  readonly sizeGiB: number;
  readonly description: string;
  readonly isEncrypted: boolean;
  readonly kmsKeyId: string | undefined;
  readonly startedMs: number;
  readonly readyMs: number;
  /** Why it will never be completed. */
  readonly failure: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly tier: "standard" | "archive";
  /** The accounts, or "all", that may create volumes from it. */
  readonly sharedWith: readonly string[];
  /** The image that was registered from it and keeps it from being deleted. */
  readonly imageId: string | undefined;
}

export const volumeTypes = ["standard", "io1", "io2", "gp2", "gp3", "st1", "sc1"] as const;

/** The volume types of EBS. */
export type VolumeType = (typeof volumeTypes)[number];

/** Tells how far a volume is. */
export function volumeState(volume: Volume, nowMs: number): "creating" | "available" | "error" {
  if (nowMs < volume.readyMs) return "creating";
  return volume.failure === undefined ? "available" : "error";
}

/** Tells how far a snapshot is. */
export function snapshotState(snapshot: Snapshot, nowMs: number): "pending" | "completed" | "error" {
  if (nowMs < snapshot.readyMs) return "pending";
  return snapshot.failure === undefined ? "completed" : "error";
}

/** Returns the progress of a snapshot in percent. */
export function snapshotProgress(snapshot: Snapshot, nowMs: number): number {
  const whole = snapshot.readyMs - snapshot.startedMs;
  if (nowMs < snapshot.readyMs) return Math.floor((100 * (nowMs - snapshot.startedMs)) / whole);
  return snapshot.failure === undefined ? 100 : 99;
}
