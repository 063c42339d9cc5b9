import { isKind, PluginError } from "@flotilla/sdk/plugin";

import { readBackupFacts } from "../backup-layout/backup-facts.ts";
import { UsageError } from "../cli-error.ts";
import type { Report } from "../context.ts";
import { formatTable } from "../output/table.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";
import { findBackup, readBackupObject, readSnapshots } from "./stored-backup.ts";
import type { StoredBackup } from "./stored-backup.ts";

/** A deleted backup. */
export interface DeletedBackup {
  readonly name: string;
  readonly snapshots: readonly string[];
  readonly objects: readonly string[];
}

/** Deletes a backup as the server does: its snapshots first, so that no record is lost while one is left; then its objects. */
export async function deleteBackup(
  session: Session,
  store: OpenedStore,
  volumes: OpenedVolumes | undefined,
  request: { readonly name: string; readonly isConfirmed: boolean; readonly keepsSnapshots: boolean },
): Promise<DeletedBackup> {
  const backup = await findBackup(session, store, request.name);
  const records = request.keepsSnapshots ? [] : await readSnapshots(session, store, backup);
  if (!request.keepsSnapshots) await refuseLostRecords(session, store, backup, records.length);
  const snapshots = records.map(({ snapshotId }) => snapshotId);
  if (snapshots.length > 0 && volumes === undefined) {
    throw new UsageError(
      `backup ${request.name} has snapshots (${snapshots.join(", ")}): add --volume-config or --volume-location to ` +
        "delete them too, or --keep-snapshots to leave them",
    );
  }
  if (!request.isConfirmed) {
    throw new UsageError(
      `this would delete ${backup.objectKeys.length} objects and ${snapshots.length} snapshots for good: add --yes to do it`,
    );
  }
  for (const snapshotId of snapshots) {
    await volumes?.client.deleteSnapshot(snapshotId, session.call);
    session.progress.note(`deleted snapshot ${snapshotId}`);
  }
  return { name: request.name, snapshots, objects: await deleteObjects(session, store, backup.keys.folder) };
}

/** Snapshots that no record names would stay for good, and nobody would know of what they are. */
async function refuseLostRecords(
  session: Session,
  store: OpenedStore,
  { name, keys, objectKeys }: StoredBackup,
  recorded: number,
): Promise<void> {
  // What is left of a backup that was deleted by half, or never finished, says nothing of snapshots.
  if (!objectKeys.includes(keys.metadata)) return;
  const object = await readBackupObject(session, store, keys.metadata).catch((error: unknown) => {
    // A damaged backup can be deleted, too.
    if (isKind(error, "corrupt")) return {};
    throw error;
  });
  const { snapshotsCompleted } = readBackupFacts(object);
  if (recorded >= snapshotsCompleted) return;
  throw new PluginError(
    `backup ${name} made ${snapshotsCompleted} snapshots, and its record names ${recorded} of them: nothing was deleted; find them by their tag velero.io/backup, delete them by flotilla volume delete, and add --keep-snapshots`,
    { kind: "corrupt" },
  );
}

/** What was deleted, for people and for JSON. */
export function reportDeleted(deleted: DeletedBackup): Report {
  const rows = [...deleted.snapshots, ...deleted.objects].map((what) => [what]);
  return { json: deleted, text: `${formatTable(["deleted"], rows)}\nbackup ${deleted.name} deleted\n` };
}

/** In the order of the plugin's list. One that fails does not keep the others, and is reported at the end. */
async function deleteObjects(
  session: Session,
  { client, location: { bucket } }: OpenedStore,
  folder: string,
): Promise<readonly string[]> {
  const deleted: string[] = [];
  const faults: string[] = [];
  for (const key of await client.listObjects({ bucket, prefix: folder }, session.call)) {
    try {
      await client.deleteObject({ bucket, key }, session.call);
      deleted.push(key);
    } catch (error) {
      session.context.signal.throwIfAborted();
      if (isKind(error, "not-found")) continue;
      faults.push(PluginError.from(error).message);
    }
  }
  if (faults.length === 0) return deleted;
  throw new PluginError(`${faults.length} objects could not be deleted: ${faults.join("; ")}`, { kind: "unavailable" });
}
