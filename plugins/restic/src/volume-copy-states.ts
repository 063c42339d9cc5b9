import type { Listing } from "./volume-snapshots.ts";
import { readCompletionTags, readCopyFrom, readCopyingTags, readDeletionTags, readVolumeTags } from "./volume-tags.ts";
import type { VolumeTags } from "./volume-tags.ts";

/** A complete snapshot of a repository. */
export interface Origin {
  readonly volume: VolumeTags;
  readonly bytes: bigint;
  readonly startedMs: number;
  /** Whether it came there as a copy. */
  readonly isCopy: boolean;
}

/** A snapshot whose files are in the second repository. */
export interface Arrival {
  readonly snapshotId: string;
  readonly isComplete: boolean;
  /** The id of the repository that it was copied from; undefined where the plugin did not copy it. */
  readonly fromId: string | undefined;
  /** Of the copying, where that is known. */
  readonly startedMs: number;
}

interface Files {
  readonly volume: VolumeTags;
  readonly startedMs: number;
}

interface Mark {
  readonly bytes: bigint;
  readonly startedMs: number;
  readonly fromId: string | undefined;
}

/** Reads the complete snapshots that are not deleted. */
export function readOrigins(listing: Listing): readonly Origin[] {
  const { files, completions } = sorted(listing);
  return [...files].flatMap(([snapshotId, { volume, startedMs }]) => {
    const mark = completions.get(snapshotId);
    if (mark === undefined) return [];
    return [{ volume, bytes: mark.bytes, startedMs, isCopy: mark.fromId !== undefined }];
  });
}

/** Reads the snapshots whose files are there, complete or not, and that are not deleted. */
export function readArrivals(listing: Listing): readonly Arrival[] {
  const { files, completions, beginnings } = sorted(listing);
  return [...files].map(([snapshotId, { startedMs }]) => {
    const begun = beginnings.get(snapshotId);
    const mark = completions.get(snapshotId);
    return {
      snapshotId,
      isComplete: mark !== undefined,
      fromId: mark === undefined ? begun?.fromId : mark.fromId,
      startedMs: begun?.startedMs ?? (mark?.fromId === undefined ? startedMs : mark.startedMs),
    };
  });
}

/** By the id of the snapshot that they speak of; what is marked as deleted is left out. */
function sorted({ snapshots }: Listing): {
  readonly files: ReadonlyMap<string, Files>;
  readonly completions: ReadonlyMap<string, Mark>;
  readonly beginnings: ReadonlyMap<string, { readonly fromId: string; readonly startedMs: number }>;
} {
  const files = new Map<string, Files>();
  const completions = new Map<string, Mark>();
  const beginnings = new Map<string, { readonly fromId: string; readonly startedMs: number }>();
  const deleted = new Set(snapshots.flatMap(({ tags }) => readDeletionTags(tags) ?? []));
  for (const { tags, startedMs } of snapshots) {
    const volume = readVolumeTags(tags);
    const completion = readCompletionTags(tags);
    const copying = readCopyingTags(tags);
    if (volume !== undefined && !deleted.has(volume.snapshotId)) files.set(volume.snapshotId, { volume, startedMs });
    if (completion !== undefined)
      completions.set(completion.snapshotId, { bytes: completion.bytes, startedMs, fromId: readCopyFrom(tags) });
    if (copying !== undefined) beginnings.set(copying.snapshotId, { fromId: copying.fromId, startedMs });
  }
  return { files, completions, beginnings };
}
