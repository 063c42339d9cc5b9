import { randomBytes } from "node:crypto";

import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";

import { forgetSnapshots } from "./snapshot-removal.ts";
import { isNeverMade } from "./repository-absence.ts";
import type { Repository } from "./repository.ts";
import type { ResticAnswer } from "./restic-run.ts";
import { parseSnapshotList } from "./snapshot-list.ts";
import type { ListedSnapshot } from "./snapshot-list.ts";
import { writeMark } from "./volume-mark.ts";
import {
  printDeletionTags,
  readCompletionTags,
  readCopyingTags,
  readDeletionTags,
  readVolumeTags,
} from "./volume-tags.ts";
import type { VolumeTags } from "./volume-tags.ts";

/** A complete snapshot of a volume. */
export interface VolumeSnapshot extends VolumeTags {
  readonly takenAt: Date;
  /** Of all its files. */
  readonly bytes: bigint;
  /** restic's own id of the files. */
  readonly filesId: string;
}

/** Somebody who removes something is done by then; a backup may be hours from its end. */
const lockPatienceMs = 60_000;
/** Beyond any upload that still runs: the server's call for a snapshot ends after a day. */
const leftoverAgeMs = 48 * 60 * 60_000;

/** An id for a new snapshot: when it was taken, and what tells it apart. */
export function newSnapshotId(now: Date): string {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `volume-${time.toLowerCase()}-${randomBytes(6).toString("hex")}`;
}

/** The snapshots of a repository, and whether restic had to leave some out because it could not read them. */
export interface Listing {
  readonly snapshots: readonly ListedSnapshot[];
  readonly isWhole: boolean;
}

/** Lists every snapshot of the repository. */
export async function listSnapshots(repository: Repository, call: Call): Promise<Listing> {
  const request = { action: "list the snapshots", args: ["snapshots", "--json"], lock: "none" } as const;
  let answer: ResticAnswer;
  try {
    answer = await repository.run(request, call);
  } catch (error) {
    if (isNeverMade(error)) return { snapshots: [], isWhole: true };
    throw error;
  }
  const { output, end } = answer;
  const isWhole = !end.lines.some((line) => /Ignoring|could not load snapshot/.test(line));
  return { snapshots: parseSnapshotList(output), isWhole };
}

/** The complete snapshot of this id. Throws `not-found`. */
export async function findVolumeSnapshot(
  repository: Repository,
  snapshotId: string,
  call: Call,
): Promise<VolumeSnapshot> {
  const listing = await listSnapshots(repository, call);
  const { files, marks, deletions } = piecesOf(listing.snapshots, snapshotId);
  const [found] = files;
  const [mark] = marks;
  if (deletions.length > 0 || found === undefined || mark === undefined)
    throw unknownSnapshot(repository, snapshotId, listing);
  return { ...found.volume, takenAt: new Date(found.startedMs), filesId: found.id, bytes: mark.bytes };
}

/**
 * Forgets a snapshot, complete or not; its data is freed by the next prune. Where the repository is in use for longer, or
 * may only be added to, a mark says that it counts no more, and a later deletion forgets it. Throws `not-found`.
 */
export async function deleteVolumeSnapshot(repository: Repository, snapshotId: string, call: Call): Promise<void> {
  const listing = await listSnapshots(repository, call);
  const { files, marks, deletions } = piecesOf(listing.snapshots, snapshotId);
  if (deletions.length > 0 || files.length + marks.length === 0) throw unknownSnapshot(repository, snapshotId, listing);
  // The repository is had for itself alone now, so that what dead processes left goes, too.
  const ids = [...files, ...marks].map(({ id }) => id);
  // Beside snapshots that cannot be read, one of which may be its mark, a whole snapshot looks like what a dead process left.
  const left = listing.isWhole ? leftovers(listing.snapshots, Date.now()) : [];
  const isForgotten = await forgetUnlessBusy(repository, [...ids, ...left], call);
  if (isForgotten) return;
  const action = `mark the snapshot ${snapshotId} as deleted`;
  await writeMark(repository, { action, tags: printDeletionTags(snapshotId) }, call);
  call.log.info("the repository is in use: a snapshot counts no more, and a later deletion forgets it", { snapshotId });
}

async function forgetUnlessBusy(repository: Repository, ids: readonly string[], call: Call): Promise<boolean> {
  // A snapshot of this process may run for hours.
  if (!repository.gate.isFree) return false;
  try {
    await forget(repository, ids, call);
    return true;
  } catch (error) {
    if (isKind(error, "held") || isKind(error, "denied")) return false;
    throw error;
  }
}

/** Forgets restic snapshots. */
export async function forget(repository: Repository, ids: readonly string[], call: Call): Promise<void> {
  await forgetSnapshots(repository, ids, "forget a snapshot", call, lockPatienceMs);
}

/**
 * What nobody can see any more: files without a mark that are older than any call, what was marked as deleted, and the
 * marks of deletions and of copies that are done. Those of deletions go alone, or one that is cut short would bring a
 * snapshot back. The files of a copy are as old as what they are copied from: that one is under way, its own mark says.
 */
export function leftovers(snapshots: readonly ListedSnapshot[], now: number): readonly string[] {
  const complete = new Set(snapshots.flatMap(({ tags }) => readCompletionTags(tags)?.snapshotId ?? []));
  const deleted = new Set(snapshots.flatMap(({ tags }) => readDeletionTags(tags) ?? []));
  const withFiles = new Set(snapshots.flatMap(({ tags }) => readVolumeTags(tags)?.snapshotId ?? []));
  const isOld = (startedMs: number): boolean => now - startedMs > leftoverAgeMs;
  const arriving = new Set(
    snapshots.flatMap(({ tags, startedMs }) => (isOld(startedMs) ? [] : (readCopyingTags(tags)?.snapshotId ?? []))),
  );
  const isDead = (id: string, startedMs: number): boolean => !complete.has(id) && !arriving.has(id) && isOld(startedMs);
  const isLeft = ({ tags, startedMs }: ListedSnapshot): boolean => {
    const deletion = readDeletionTags(tags);
    if (deletion !== undefined) return !withFiles.has(deletion) && !complete.has(deletion);
    const copying = readCopyingTags(tags)?.snapshotId;
    if (copying !== undefined) return isOld(startedMs) || (complete.has(copying) && withFiles.has(copying));
    const id = readVolumeTags(tags)?.snapshotId;
    if (id !== undefined && isDead(id, startedMs)) return true;
    return deleted.has(id ?? readCompletionTags(tags)?.snapshotId ?? "");
  };
  return snapshots.filter(isLeft).map(({ id }) => id);
}

/** What a repository holds of one snapshot. */
export interface Pieces {
  readonly files: readonly (ListedSnapshot & { readonly volume: VolumeTags })[];
  readonly marks: readonly (ListedSnapshot & { readonly bytes: bigint })[];
  /** The marks that it counts no more. */
  readonly deletions: readonly ListedSnapshot[];
}

/** Finds what a repository holds of a snapshot. */
export function piecesOf(snapshots: readonly ListedSnapshot[], snapshotId: string): Pieces {
  const files = snapshots.flatMap((snapshot) => {
    const volume = readVolumeTags(snapshot.tags);
    return volume?.snapshotId === snapshotId ? [{ ...snapshot, volume }] : [];
  });
  const marks = snapshots.flatMap((snapshot) => {
    const mark = readCompletionTags(snapshot.tags);
    return mark?.snapshotId === snapshotId ? [{ ...snapshot, bytes: mark.bytes }] : [];
  });
  const deletions = snapshots.filter(({ tags }) => readDeletionTags(tags) === snapshotId);
  return { files, marks, deletions };
}

/** The server takes "not found" for gone, so that it is said only where every snapshot could be looked at. */
function unknownSnapshot(repository: Repository, snapshotId: string, { isWhole }: Listing): PluginError {
  const where = `snapshot ${snapshotId} in repository ${repository.location.shown}`;
  if (isWhole) return new PluginError(`${where}: not found`, { kind: "not-found" });
  return new PluginError(
    `${where}: it is none of those that restic can read, and some it cannot; run restic check on the repository`,
    { kind: "corrupt" },
  );
}
