import type { ObjectDescription } from "@flotilla/sdk/plugin";
import { isJsonObject, isKind, isTransient, parseJson, PluginError } from "@flotilla/sdk/plugin";
import type { JsonObject, JsonValue } from "@flotilla/sdk/plugin";

import { collectBody } from "../backup-layout/collect-body.ts";
import { gunzipText } from "../backup-layout/gzip.ts";
import { backupKeys } from "../backup-layout/keys.ts";
import type { BackupKeys } from "../backup-layout/keys.ts";
import { parseBackupObject } from "../backup-layout/parse-backup-object.ts";
import { readSnapshotRecords } from "../backup-layout/snapshot-record.ts";
import type { SnapshotRecord } from "../backup-layout/snapshot-record.ts";
import type { OpenedStore, Session } from "../session.ts";

/** One backup of an opened location. */
export interface StoredBackup {
  readonly name: string;
  readonly keys: BackupKeys;
  /** All keys of its folder, in order. */
  readonly objectKeys: readonly string[];
}

/** Finds a backup by name; one without any object does not exist. */
export async function findBackup(session: Session, store: OpenedStore, name: string): Promise<StoredBackup> {
  const keys = backupKeys(store.location.prefix, name);
  const query = { bucket: store.location.bucket, prefix: keys.folder };
  const objectKeys = [...(await store.client.listObjects(query, session.call))].sort();
  if (objectKeys.length > 0) return { name, keys, objectKeys };
  throw new PluginError(
    `backup ${name} not found in bucket ${JSON.stringify(store.location.bucket)} below ${keys.folder}; ` +
      "flotilla backup list shows what there is",
    { kind: "not-found" },
  );
}

/**
 * The same for somebody who only reads. A location whose region is lost gives no list, since what it lacked would count as
 * deleted, but still tells of single objects by its copies: then the names that the server knows are asked for.
 */
export async function findBackupToRead(session: Session, store: OpenedStore, name: string): Promise<StoredBackup> {
  try {
    return await findBackup(session, store, name);
  } catch (error) {
    if (!isTransient(error)) throw error;
    const objectKeys = await knownObjects(session, store, name).catch((other: unknown) => {
      const { message, kind } = PluginError.from(error);
      throw new PluginError(`${message}; nor can it be asked for single objects: ${PluginError.from(other).message}`, {
        kind,
        cause: other,
      });
    });
    const keys = backupKeys(store.location.prefix, name);
    if (!objectKeys.includes(keys.metadata)) throw error;
    session.progress.note(`the location gives no list: reading the ${objectKeys.length} objects that the server knows`);
    return { name, keys, objectKeys };
  }
}

async function knownObjects(session: Session, store: OpenedStore, name: string): Promise<readonly string[]> {
  const { folder: _, ...keys } = backupKeys(store.location.prefix, name);
  const found: string[] = [];
  for (const key of Object.values(keys).sort())
    if (await store.client.objectExists({ bucket: store.location.bucket, key }, session.call)) found.push(key);
  return found;
}

/** Reads one small object whole. */
async function readObject(session: Session, store: OpenedStore, key: string): Promise<Buffer> {
  const { bucket } = store.location;
  return await collectBody(store.client.getObject({ bucket, key }, session.call), key);
}

/** The Backup object of a stored backup. */
export async function readBackupObject(session: Session, store: OpenedStore, key: string): Promise<JsonObject> {
  return parseBackupObject(await readObject(session, store, key), key);
}

/** The snapshots that a stored backup names; none where it has no record of any. */
export async function readSnapshots(
  session: Session,
  store: OpenedStore,
  backup: StoredBackup,
): Promise<readonly SnapshotRecord[]> {
  const key = backup.keys.volumeSnapshots;
  if (!backup.objectKeys.includes(key)) return [];
  return await readSnapshotRecords(await readObject(session, store, key), key);
}

/** The backups that a stored backup's records of pod volumes name, each once: its own, or none. */
export async function readPodVolumeOwners(
  session: Session,
  store: OpenedStore,
  { keys }: StoredBackup,
): Promise<readonly string[]> {
  const key = keys.podVolumeBackups;
  // Read to its end before, as JSON: what is no list is one of none.
  const records: JsonValue = parseJson(await gunzipText(await readObject(session, store, key), key));
  const owners = (Array.isArray(records) ? records : []).map((record: JsonValue) => {
    const tags = fieldOf(fieldOf(record, "spec"), "tags");
    return fieldOf(tags, "backup");
  });
  return [...new Set(owners.filter((owner) => typeof owner === "string"))];
}

function fieldOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

/** An object as the store describes it; undefined where the plugin cannot describe objects. */
export async function describeIfPossible(
  session: Session,
  store: OpenedStore,
  key: string,
): Promise<ObjectDescription | undefined> {
  try {
    return await store.client.describeObject({ bucket: store.location.bucket, key }, session.call);
  } catch (error) {
    // Plugins of others lack flotilla.v1; everything else still works with them.
    if (isKind(error, "unsupported")) return undefined;
    throw error;
  }
}

/** A recorded checksum for people: `crc32 AAAAAA==`. */
export function printChecksum(description: ObjectDescription | undefined): string {
  const checksum = description?.checksum;
  if (checksum === undefined) return "-";
  return `${checksum.algorithm} ${checksum.value}${checksum.scope === "composite" ? " (of parts)" : ""}`;
}
