import { isKind, PluginError } from "@flotilla/sdk/plugin";

import { AtomicFolder } from "../atomic-folder.ts";
import { readBackupFacts } from "../backup-layout/backup-facts.ts";
import { lostFiles } from "../backup-layout/lost-files.ts";
import type { Report } from "../context.ts";
import { formatTable } from "../output/table.ts";
import { formatBytes } from "../output/units.ts";
import type { OpenedStore, Session } from "../session.ts";
import { findBackupToRead, readBackupObject } from "./stored-backup.ts";
import type { StoredBackup } from "./stored-backup.ts";

/** A downloaded backup. */
export interface DownloadedBackup {
  readonly name: string;
  readonly folder: string;
  readonly files: readonly { readonly file: string; readonly bytes: number }[];
  /** What a backup must have and this one has not, by its names: what was there is downloaded all the same. */
  readonly lacks: readonly string[];
}

/** Downloads all objects of a backup into a new folder, which appears only when each has arrived whole. */
export async function downloadBackup(
  session: Session,
  store: OpenedStore,
  request: { readonly name: string; readonly to: string },
): Promise<DownloadedBackup> {
  const backup = await findBackupToRead(session, store, request.name);
  const { keys, objectKeys } = backup;
  await using folder = await AtomicFolder.begin(request.to);
  const files: { file: string; bytes: number }[] = [];
  for (const key of objectKeys) {
    const file = key.slice(keys.folder.length);
    // A marker of the folder itself holds nothing.
    if (file === "" || file.endsWith("/")) continue;
    refuseUnsafe(file);
    const transfer = session.progress.begin(`downloading ${key}`);
    const body = store.client.getObject({ bucket: store.location.bucket, key }, session.call);
    await folder.write(file, transfer.pass(body));
    files.push({ file, bytes: transfer.done(`downloaded ${key}`) });
  }
  const lacks = await missingFiles(session, store, backup, files);
  await folder.commit();
  return { name: request.name, folder: request.to, files, lacks };
}

async function missingFiles(
  session: Session,
  store: OpenedStore,
  { name, keys, objectKeys }: StoredBackup,
  files: DownloadedBackup["files"],
): Promise<readonly string[]> {
  const names = files.map(({ file }) => file);
  const nameOf = (key: string): string => key.slice(keys.folder.length);
  if (!objectKeys.includes(keys.metadata))
    return [keys.metadata, keys.contents].map(nameOf).filter((file) => !names.includes(file));
  try {
    return lostFiles(name, names, readBackupFacts(await readBackupObject(session, store, keys.metadata)));
  } catch (error) {
    // Its bytes are as they were stored, and are handed out with all that can be rescued.
    if (isKind(error, "corrupt")) return [nameOf(keys.metadata)];
    throw error;
  }
}

/** The files for people and for JSON. */
export function reportDownloaded(downloaded: DownloadedBackup): Report {
  const rows = downloaded.files.map(({ file, bytes }) => [file, formatBytes(bytes)]);
  const { name, folder, lacks } = downloaded;
  const caution = lacks.length === 0 ? "" : `, but it LACKS ${lacks.join(", ")}: it cannot be restored as it was`;
  return {
    json: downloaded,
    text: `${formatTable(["file", "size"], rows)}\nbackup ${name} downloaded to ${folder}${caution}\n`,
    isFailure: lacks.length > 0,
  };
}

function refuseUnsafe(file: string): void {
  const isSafe = file.split("/").every((part) => part !== "" && part !== "." && part !== "..") && !/[\\\0]/.test(file);
  if (isSafe) return;
  throw new PluginError(`the object ${JSON.stringify(file)} would be written outside of the folder`, {
    kind: "corrupt",
  });
}
