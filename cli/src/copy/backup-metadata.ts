import { readBackupFacts } from "../backup-layout/backup-facts.ts";
import type { BackupFacts } from "../backup-layout/backup-facts.ts";
import { collectBody } from "../backup-layout/collect-body.ts";
import { parseBackupObject } from "../backup-layout/parse-backup-object.ts";
import type { OpenedStore, Session } from "../session.ts";
import { sideOf } from "./paired-object.ts";

/** The file whose presence makes a folder a backup: a server that syncs looks for it, so it is copied last. */
export const metadataFile = "velero-backup.json";

/** The Backup object of a stored backup, with its bytes as they are stored. */
export interface BackupMetadata extends BackupFacts {
  readonly bytes: Buffer;
}

/** Reads it. Throws `corrupt` where it is no Backup object. */
export async function readMetadata(session: Session, store: OpenedStore, backup: string): Promise<BackupMetadata> {
  const { object } = sideOf(store, backup, metadataFile);
  const bytes = await collectBody(store.client.getObject(object, session.call), object.key);
  return { bytes, ...readBackupFacts(parseBackupObject(bytes, object.key)) };
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
