import { PluginError } from "@flotilla/sdk/plugin";

import { readBackupFacts } from "../backup-layout/backup-facts.ts";
import type { BackupFacts } from "../backup-layout/backup-facts.ts";
import { lostFiles } from "../backup-layout/lost-files.ts";
import type { SnapshotRecord } from "../backup-layout/snapshot-record.ts";
import type { OpenedStore, Session } from "../session.ts";
import { readBackupObject, readPodVolumeOwners, readSnapshots } from "./stored-backup.ts";
import type { StoredBackup } from "./stored-backup.ts";
import { isHarmless, missingObject, statusOf } from "./verify-objects.ts";
import type { ObjectVerdict } from "./verify-objects.ts";

/** The verdicts on the objects, with what they say of each other. */
export interface RecordVerdicts {
  readonly objects: readonly ObjectVerdict[];
  /** None where their record cannot be read, which is a verdict then. */
  readonly snapshots: readonly SnapshotRecord[];
  /** Undefined where the Backup object is lost or cannot be read. */
  readonly facts: BackupFacts | undefined;
}

/** Compares what a backup's objects say of each other: each may be whole, and be another backup's, or one may be gone. */
export async function verifyRecords(
  session: Session,
  store: OpenedStore,
  backup: StoredBackup,
  objects: readonly ObjectVerdict[],
): Promise<RecordVerdicts> {
  const { keys, name, objectKeys } = backup;
  const verdicts = new Map(objects.map((verdict) => [verdict.key, verdict]));
  const judge = async <T>(key: string, read: () => Promise<T>): Promise<T | undefined> => {
    const former = verdicts.get(key);
    if (former === undefined || !isHarmless(former)) return undefined;
    try {
      return await read();
    } catch (error) {
      session.context.signal.throwIfAborted();
      verdicts.set(key, { ...former, status: statusOf(error), detail: PluginError.from(error).message });
      return undefined;
    }
  };
  const facts = await judge(keys.metadata, async () => {
    const facts = readBackupFacts(await readBackupObject(session, store, keys.metadata));
    if (facts.name !== name) throw foreign(facts.name);
    return facts;
  });
  const snapshots = await judge(keys.volumeSnapshots, async () => {
    const records = await readSnapshots(session, store, backup);
    requireAll(records, backup, facts);
    return records;
  });
  await judge(keys.podVolumeBackups, async () => {
    const other = (await readPodVolumeOwners(session, store, backup)).find((owner) => owner !== name);
    if (other !== undefined) throw foreign(other);
  });
  const files = objectKeys.map((key) => key.slice(keys.folder.length));
  const lost = facts === undefined ? [] : lostFiles(name, files, facts).map((file) => `${keys.folder}${file}`);
  for (const key of lost) if (!verdicts.has(key)) verdicts.set(key, missingObject(key));
  return { objects: [...verdicts.values()], snapshots: snapshots ?? [], facts };
}

/** A record that was swapped for another backup's, or for a former one, names other snapshots than the backup made. */
function requireAll(
  records: readonly SnapshotRecord[],
  { name, keys }: StoredBackup,
  facts: BackupFacts | undefined,
): void {
  const other = records.find(({ backupName }) => backupName !== "" && backupName !== name);
  if (other !== undefined) throw foreign(other.backupName);
  const { snapshotsCompleted = 0 } = facts ?? {};
  if (records.length >= snapshotsCompleted) return;
  throw new PluginError(
    `${keys.volumeSnapshots} names ${records.length} snapshots, and the backup made ${snapshotsCompleted}: volumes would be missing`,
    { kind: "corrupt" },
  );
}

function foreign(name: string): PluginError {
  return new PluginError(`it is of another backup: ${JSON.stringify(name)}`, { kind: "corrupt" });
}
