import { randomBytes } from "node:crypto";

import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";

import type { Repository } from "./repository.ts";
import { parseSnapshotList } from "./snapshot-list.ts";
import type { ListedSnapshot } from "./snapshot-list.ts";
import { readCompletionTags, readVolumeTags } from "./volume-tags.ts";
import type { VolumeTags } from "./volume-tags.ts";

/** A complete snapshot of a volume. */
export interface VolumeSnapshot extends VolumeTags {
  readonly takenAt: Date;
  /** Of all its files. */
  readonly bytes: bigint;
  /** restic's own id of the files. */
  readonly filesId: string;
}

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
  const { output, end } = await repository.run(request, call);
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
  const { files, marks } = piecesOf(listing.snapshots, snapshotId);
  const [found] = files;
  const [mark] = marks;
  if (found === undefined || mark === undefined) throw unknownSnapshot(repository, snapshotId, listing);
  return { ...found.volume, takenAt: new Date(found.startedMs), filesId: found.id, bytes: mark.bytes };
}

/** Forgets a snapshot, complete or not; its data is freed by the next prune. Throws `not-found`. */
export async function forgetVolumeSnapshot(repository: Repository, snapshotId: string, call: Call): Promise<void> {
  const listing = await listSnapshots(repository, call);
  const { files, marks } = piecesOf(listing.snapshots, snapshotId);
  if (files.length + marks.length === 0) throw unknownSnapshot(repository, snapshotId, listing);
  // The repository is had for itself alone now, so that what dead processes left goes, too.
  const ids = [...files, ...marks].map(({ id }) => id);
  await forget(repository, [...ids, ...leftovers(listing.snapshots, Date.now())], call);
}

/** Forgets restic snapshots. */
export async function forget(repository: Repository, ids: readonly string[], call: Call): Promise<void> {
  await repository.run({ action: "forget a snapshot", args: ["forget", ...ids], lock: "exclusive" }, call);
}

/** What dead processes left: files without a mark that are older than any call. */
export function leftovers(snapshots: readonly ListedSnapshot[], now: number): readonly string[] {
  const complete = new Set(snapshots.flatMap(({ tags }) => readCompletionTags(tags)?.snapshotId ?? []));
  const isLeft = ({ tags, startedMs }: ListedSnapshot): boolean => {
    const volume = readVolumeTags(tags);
    return volume !== undefined && !complete.has(volume.snapshotId) && now - startedMs > leftoverAgeMs;
  };
  return snapshots.filter(isLeft).map(({ id }) => id);
}

interface Pieces {
  readonly files: readonly (ListedSnapshot & { readonly volume: VolumeTags })[];
  readonly marks: readonly (ListedSnapshot & { readonly bytes: bigint })[];
}

function piecesOf(snapshots: readonly ListedSnapshot[], snapshotId: string): Pieces {
  const files = snapshots.flatMap((snapshot) => {
    const volume = readVolumeTags(snapshot.tags);
    return volume?.snapshotId === snapshotId ? [{ ...snapshot, volume }] : [];
  });
  const marks = snapshots.flatMap((snapshot) => {
    const mark = readCompletionTags(snapshot.tags);
    return mark?.snapshotId === snapshotId ? [{ ...snapshot, bytes: mark.bytes }] : [];
  });
  return { files, marks };
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
