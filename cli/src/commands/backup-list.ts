import { PluginError } from "@flotilla/sdk/plugin";

import { readBackupFacts } from "../backup-layout/backup-facts.ts";
import { backupKeys, backupsFolder } from "../backup-layout/keys.ts";
import { UsageError } from "../cli-error.ts";
import type { Report } from "../context.ts";
import { formatTable } from "../output/table.ts";
import type { OpenedStore, Session } from "../session.ts";
import { readBackupObject } from "./stored-backup.ts";

/** A backup as its Backup object tells; the fault of one whose object cannot be read. */
export interface ListedBackup {
  readonly name: string;
  readonly phase: string;
  readonly startedAt: string;
  readonly expiresAt: string;
  readonly items: number;
  readonly fault: string;
}

const concurrentReads = 4;

/** All backups of the location, by name, or only those that are named. */
export async function listBackups(
  session: Session,
  store: OpenedStore,
  names: readonly string[] = [],
): Promise<readonly ListedBackup[]> {
  const { bucket, prefix } = store.location;
  const folder = backupsFolder(prefix);
  const query = { bucket, prefix: folder, delimiter: "/" };
  const prefixes = await store.client.listCommonPrefixes(query, session.call);
  const found = prefixes.map((path) => path.slice(folder.length).replace(/\/$/, "")).toSorted();
  const absent = names.filter((name) => !found.includes(name));
  if (absent.length > 0) {
    throw new PluginError(`backup ${absent.join(", ")} not found below ${folder} in bucket ${bucket}`, {
      kind: "not-found",
    });
  }
  const wanted = names.length === 0 ? found : names;
  const backups: ListedBackup[] = [];
  for (let start = 0; start < wanted.length; start += concurrentReads) {
    const few = wanted.slice(start, start + concurrentReads);
    backups.push(...(await Promise.all(few.map((name) => readListed(session, store, name)))));
  }
  return backups;
}

/** The list for people and for JSON. */
export function reportListed(backups: readonly ListedBackup[]): Report {
  const rows = backups.map(({ name, phase, startedAt, expiresAt, items, fault }) => [
    name,
    phase,
    startedAt,
    expiresAt,
    String(items),
    fault,
  ]);
  const text =
    rows.length === 0
      ? "no backups: make one with flotilla backup create NAME --from PATH\n"
      : formatTable(["name", "phase", "started", "expires", "items", "fault"], rows);
  return { json: { backups }, text, isFailure: backups.some(({ fault }) => fault !== "") };
}

async function readListed(session: Session, store: OpenedStore, name: string): Promise<ListedBackup> {
  try {
    const object = await readBackupObject(session, store, backupKeys(store.location.prefix, name).metadata);
    const { phase, startedAt, expiresAt, itemsBackedUp: items } = readBackupFacts(object);
    return { name, phase, startedAt, expiresAt, items, fault: "" };
  } catch (error) {
    session.context.signal.throwIfAborted();
    const fault = error instanceof UsageError ? error.message : PluginError.from(error).message;
    return { name, phase: "Unreadable", startedAt: "", expiresAt: "", items: 0, fault };
  }
}
