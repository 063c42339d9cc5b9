import { isKind, PluginError } from "@flotilla/sdk/plugin";

import { UsageError } from "../cli-error.ts";
import type { Report } from "../context.ts";
import { formatTable } from "../output/table.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";
import { findBackup, readSnapshots } from "./stored-backup.ts";

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
