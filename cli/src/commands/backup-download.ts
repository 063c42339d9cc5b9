import { PluginError } from "@flotilla/sdk/plugin";

import { AtomicFolder } from "../atomic-folder.ts";
import type { Report } from "../context.ts";
import { formatTable } from "../output/table.ts";
import { formatBytes } from "../output/units.ts";
import type { OpenedStore, Session } from "../session.ts";
import { findBackupToRead } from "./stored-backup.ts";

/** A downloaded backup. */
export interface DownloadedBackup {
  readonly name: string;
  readonly folder: string;
  readonly files: readonly { readonly file: string; readonly bytes: number }[];
}

/** Downloads all objects of a backup into a new folder, which appears only when each has arrived whole. */
export async function downloadBackup(
  session: Session,
  store: OpenedStore,
  request: { readonly name: string; readonly to: string },
): Promise<DownloadedBackup> {
  const { keys, objectKeys } = await findBackupToRead(session, store, request.name);
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
  await folder.commit();
  return { name: request.name, folder: request.to, files };
}

/** The files for people and for JSON. */
export function reportDownloaded(downloaded: DownloadedBackup): Report {
  const rows = downloaded.files.map(({ file, bytes }) => [file, formatBytes(bytes)]);
  return {
    json: downloaded,
    text: `${formatTable(["file", "size"], rows)}\nbackup ${downloaded.name} downloaded to ${downloaded.folder}\n`,
  };
}

function refuseUnsafe(file: string): void {
  const isSafe = file.split("/").every((part) => part !== "" && part !== "." && part !== "..") && !/[\\\0]/.test(file);
  if (isSafe) return;
  throw new PluginError(`the object ${JSON.stringify(file)} would be written outside of the folder`, {
    kind: "corrupt",
  });
}
