import { randomBytes } from "node:crypto";

import { accountIdOf } from "../accounts.ts";
import type { Account } from "../accounts.ts";
import { Ec2Error, invalidValue } from "./ec2-error.ts";
import type { Snapshot, Volume } from "./model.ts";
import type { Params } from "./params.ts";
import type { RegionState } from "./region-state.ts";

/** What the operations need to know of the stand-in's settings. */
export interface Ec2Settings {
  /** How long a snapshot is pending, and a volume creating. */
  readonly pendingMs: number;
  /** How long a copy of a snapshot is pending. */
  readonly copyMs: number;
  /** How many copies may be pending in one region. */
  readonly maxConcurrentCopies: number;
  /** The volume types that a region does not have. */
  readonly missingTypes: Readonly<Record<string, readonly string[]>>;
  readonly kms: { readonly denied?: readonly string[] };
}

/** One authenticated and permitted request. */
export interface Call {
  readonly action: string;
  readonly params: Params;
  readonly account: Account;
  readonly region: RegionState;
  readonly regionOf: (name: string) => RegionState | undefined;
  readonly regionNames: readonly string[];
  readonly settings: Ec2Settings;
  readonly nowMs: number;
  /** Takes the failure that a test asked for, for the next snapshot or volume made from an id. */
  readonly takeFailure: (sourceId: string) => string | undefined;
  /** Checks the signed URL by which a copy asks its source region. */
  readonly checkPresignedUrl: (isNeeded: boolean) => void;
}

/** An operation: returns the elements of its answer. */
export type Handler = (call: Call) => readonly string[];

/** Ends a request that is right, but only asks whether it would be. Called after all checks, before any change. */
export function endDryRun(call: Call): void {
  if (call.params.boolean("DryRun") !== true) return;
  throw new Ec2Error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
}

/** Makes an id in the long form. */
export function newId(kind: "vol" | "snap"): string {
  return `${kind}-0${randomBytes(8).toString("hex")}`;
}

/** Refuses an id that cannot be one. */
export function checkId(kind: "vol" | "snap", id: string): void {
  const parameter = kind === "vol" ? "volumeId" : "snapshotId";
  if (new RegExp(`^${kind}-(?:[0-9a-f]{8}|[0-9a-f]{17})$`).test(id)) return;
  throw invalidValue(`Value (${id}) for parameter ${parameter} is invalid. Expected: '${kind}-...'.`);
}

/** Returns a volume of the caller. */
export function findVolume(call: Call, id: string): Volume {
  checkId("vol", id);
  const volume = call.region.volumes.get(id);
  if (volume !== undefined && volume.ownerId === accountIdOf(call.account)) return volume;
  throw new Ec2Error("InvalidVolume.NotFound", `The volume '${id}' does not exist.`);
}

/** Returns a snapshot that the caller may use. */
export function findSnapshot(call: Call, id: string, region = call.region): Snapshot {
  checkId("snap", id);
  const snapshot = region.snapshots.get(id);
  if (snapshot !== undefined && mayRestore(call, snapshot)) return snapshot;
  throw new Ec2Error("InvalidSnapshot.NotFound", `The snapshot '${id}' does not exist.`);
}

/** Returns a snapshot that the caller may change. */
export function findOwnSnapshot(call: Call, id: string): Snapshot {
  const snapshot = findSnapshot(call, id);
  if (snapshot.ownerId === accountIdOf(call.account)) return snapshot;
  throw new Ec2Error("UnauthorizedOperation", "You are not authorized to perform this operation.", 403);
}

/** Tells whether the caller may create volumes from a snapshot. */
export function mayRestore(call: Call, snapshot: Snapshot): boolean {
  const caller = accountIdOf(call.account);
  return snapshot.ownerId === caller || snapshot.sharedWith.includes(caller) || snapshot.sharedWith.includes("all");
}

/** Settles the KMS key of something encrypted. */
export function resolveKmsKey(call: Call, keyId: string | undefined): string {
  const prefix = `arn:aws:kms:${call.region.region}:${accountIdOf(call.account)}:`;
  // The key that AWS manages for EBS in this account.
  if (keyId === undefined || keyId === "") return `${prefix}key/00000000-0000-4000-8000-0000000000eb`;
  if (keyId.startsWith("arn:")) return keyId;
  return keyId.startsWith("alias/") ? prefix + keyId : `${prefix}key/${keyId}`;
}

/** Tells why a KMS key cannot be used, which EBS finds out only after it has answered. */
export function kmsFailure(call: Call, asked: string | undefined, resolved: string | undefined): string | undefined {
  const denied = call.settings.kms.denied ?? [];
  const isDenied = [asked, resolved].some((key) => key !== undefined && denied.includes(key));
  return isDenied ? "Given key ID is not accessible" : undefined;
}
