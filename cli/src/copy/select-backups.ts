import { backupsFolder } from "../backup-layout/keys.ts";
import { UsageError } from "../cli-error.ts";
import { listBackups } from "../commands/backup-list.ts";
import type { ListedBackup } from "../commands/backup-list.ts";
import type { OpenedStore, Session } from "../session.ts";

/** The flags that say which backups. */
export interface SelectionFlags {
  readonly all: boolean;
  readonly newest?: number;
}

/** Which backups a run is for. */
export type Selection =
  | { readonly kind: "named"; readonly names: readonly string[] }
  | { readonly kind: "all" }
  | { readonly kind: "newest"; readonly count: number };

/** Reads the selection from the names and flags; there must be exactly one. */
export function readSelection(names: readonly string[], { all, newest }: SelectionFlags): Selection {
  if ([names.length > 0, all, newest !== undefined].filter(Boolean).length !== 1) {
    throw new UsageError("which backups: give their names, or --all, or --newest N");
  }
  if (newest !== undefined) return { kind: "newest", count: newest };
  return all ? { kind: "all" } : { kind: "named", names: [...new Set(names)] };
}

/**
 * The names of the selected backups of a location, in order; the newest first where they were asked for, without those to
 * pass over.
 */
export async function selectBackups(
  session: Session,
  store: OpenedStore,
  selection: Selection,
  passOver: (backup: ListedBackup) => boolean = () => false,
): Promise<readonly string[]> {
  if (selection.kind === "named") return selection.names;
  if (selection.kind === "all") return await listNames(session, store);
  const backups = await listBackups(session, store);
  const dated = backups.filter((backup) => backup.startedAt !== "" && !passOver(backup));
  // One that cannot be read may be the newest: it is looked at in any case, so that its fault is told.
  const undated = backups.filter(({ startedAt }) => startedAt === "");
  const newest = dated.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1)).slice(0, selection.count);
  return [...newest, ...undated].map(({ name }) => name);
}

/** The names of all folders below a location's backups/. */
export async function listNames(session: Session, { client, location }: OpenedStore): Promise<readonly string[]> {
  const folder = backupsFolder(location.prefix);
  const query = { bucket: location.bucket, prefix: folder, delimiter: "/" };
  const prefixes = await client.listCommonPrefixes(query, session.call);
  return prefixes.map((path) => path.slice(folder.length).replace(/\/$/, "")).toSorted();
}
