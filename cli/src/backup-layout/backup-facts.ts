import { isJsonObject } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";

/** What a Backup object says of itself, as far as it matters here; texts are empty where it does not say. */
export interface BackupFacts {
  readonly name: string;
  readonly uid: string;
  readonly phase: string;
  /** Of the form 2026-11-27T03:36:37Z. */
  readonly startedAt: string;
  readonly completedAt: string;
  readonly expiresAt: string;
  /** Of the layout; servers since 1.4 write it. */
  readonly formatVersion: string;
  /** How many native snapshots were made for it. */
  readonly snapshotsCompleted: number;
  /** How many Kubernetes objects are in it. */
  readonly itemsBackedUp: number;
}

// As in the server's sync: a backup in any other phase is still being written, or was given up.
const finishedPhases: ReadonlySet<string> = new Set(["Completed", "PartiallyFailed", "Failed"]);

/** Reads a Backup object. */
export function readBackupFacts(object: JsonObject): BackupFacts {
  const [metadata, status] = [section(object, "metadata"), section(object, "status")];
  return {
    name: text(metadata, "name"),
    uid: text(metadata, "uid"),
    phase: text(status, "phase"),
    startedAt: text(status, "startTimestamp"),
    completedAt: text(status, "completionTimestamp"),
    expiresAt: text(status, "expiration"),
    formatVersion: text(status, "formatVersion"),
    snapshotsCompleted: count(status, "volumeSnapshotsCompleted"),
    itemsBackedUp: count(section(status, "progress"), "itemsBackedUp"),
  };
}

/** Whether the server is done with it. */
export function isFinished({ phase }: Pick<BackupFacts, "phase">): boolean {
  return finishedPhases.has(phase);
}

// Long enough for a large tarball.
const storingMs = 3_600_000;

/** Whether the server may be storing it just now: the metadata, which call it complete, come before its other files. */
export function mayBeStored({ completedAt }: BackupFacts, now: Date): boolean {
  return Math.abs(now.getTime() - Date.parse(completedAt)) < storingMs;
}

function section(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

function text(object: JsonObject, name: string): string {
  const value = object[name];
  return typeof value === "string" ? value : "";
}

function count(object: JsonObject, name: string): number {
  const value = object[name];
  return typeof value === "number" ? value : 0;
}
