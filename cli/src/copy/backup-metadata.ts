import { isJsonObject } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";

import { collectBody } from "../backup-layout/collect-body.ts";
import { parseBackupObject } from "../backup-layout/parse-backup-object.ts";
import type { OpenedStore, Session } from "../session.ts";
import { sideOf } from "./paired-object.ts";

/** The file whose presence makes a folder a backup: a server that syncs looks for it, so it is copied last. */
export const metadataFile = "velero-backup.json";

// As in the server's sync: a backup in any other phase is still being written, or was given up.
const finishedPhases: ReadonlySet<string> = new Set(["Completed", "PartiallyFailed", "Failed"]);

/** The Backup object of a stored backup, with its bytes as they are stored. */
export interface BackupMetadata {
  readonly bytes: Buffer;
  readonly uid: string;
  readonly phase: string;
  /** Of the form 2026-11-27T03:36:37Z; empty where it never started. */
  readonly startedAt: string;
}

/** Reads it. Throws `corrupt` where it is no Backup object. */
export async function readMetadata(session: Session, store: OpenedStore, backup: string): Promise<BackupMetadata> {
  const { object } = sideOf(store, backup, metadataFile);
  const bytes = await collectBody(store.client.getObject(object, session.call), object.key);
  return { bytes, ...readFields(bytes, object.key) };
}

/** The same where it is there: official plugins tell a reader nothing from which an absent object could be known. */
export async function readMetadataIfThere(
  session: Session,
  store: OpenedStore,
  backup: string,
): Promise<BackupMetadata | undefined> {
  const { object } = sideOf(store, backup, metadataFile);
  if (!(await store.client.objectExists(object, session.call))) return undefined;
  return await readMetadata(session, store, backup);
}

/** Whether the server is done with it. */
export function isFinished({ phase }: BackupMetadata): boolean {
  return finishedPhases.has(phase);
}

function readFields(bytes: Buffer, key: string): Omit<BackupMetadata, "bytes"> {
  const object = parseBackupObject(bytes, key);
  const [metadata, status] = [section(object, "metadata"), section(object, "status")];
  return {
    uid: text(metadata, "uid"),
    phase: text(status, "phase"),
    startedAt: text(status, "startTimestamp"),
  };
}

function section(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

function text(object: JsonObject, name: string): string {
  const value = object[name];
  return typeof value === "string" ? value : "";
}
