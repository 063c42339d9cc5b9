import type { Call } from "./call.ts";

/** A region that snapshots are copied to, with the cloud's rules for copies that end there. */
export interface CopyRegion {
  /** As `copyToRegions` spells it, or a repository's address; no two targets of a location share one. */
  readonly region: string;
  /** How many copies the cloud lets run at once, as documented; 0 for no bound that is known. */
  readonly maxConcurrent: number;
  /** Whether snapshots of one volume must be copied one at a time, in the order in which they were made. */
  readonly isSerialPerVolume: boolean;
}

/** A snapshot that a backup made. */
export interface SnapshotOrigin {
  /** In the official plugin's form. */
  readonly snapshotId: string;
  readonly volumeId: string;
  /** The backup's name; empty where the snapshot does not say. */
  readonly backup: string;
  /** Whether the cloud would start a copy of it: `unfinished` may become `ready`, `failed` never will. */
  readonly readiness: "ready" | "unfinished" | "failed";
  /** The cloud's own word, for example `pending`. */
  readonly state: string;
  /** 0 to 100. */
  readonly progressPercent: number;
  readonly sizeBytes: bigint;
  readonly startedAt: Date | undefined;
}

/** A copy of a snapshot, found by its tags: nothing else remembers it. */
export interface SnapshotCopy {
  readonly copyId: string;
  /** The region that it is in, as {@link CopyRegion.region}; the location's own for a local copy. */
  readonly region: string;
  /** The id of what it is a copy of. */
  readonly originId: string;
  /** The region of the origin. */
  readonly originRegion: string;
  /** `failed`: it will never be complete. */
  readonly state: "pending" | "completed" | "failed";
  /** The cloud's words for a failed one; empty where it has none. */
  readonly detail: string;
  /** 0 to 100. */
  readonly progressPercent: number;
  readonly startedAt: Date | undefined;
  /** Whether {@link SnapshotCopier.tendCopy} has something to do for it: a next step, or a remnant to remove. */
  readonly needsTending: boolean;
}

/** Which snapshots to list: all, or what one of these keys narrows them to. */
export interface OriginQuery {
  /** Only those of this backup. */
  readonly backup?: string;
  /** Only these, whether a backup made them or not. One that does not exist is left out. */
  readonly snapshotIds?: readonly string[];
}

/** Which copies to list. */
export interface CopyQuery {
  /** The target that they are in. */
  readonly region: string;
  /** Only those of this snapshot. */
  readonly originId?: string;
}

/** Names a copy, in a target or in the location's own region. */
export interface CopyRef {
  readonly region: string;
  readonly copyId: string;
}

/**
 * Copies of snapshots in other regions. It keeps no state: everything is found again from the tags of the copies, so that
 * whoever copies may be killed at any moment. Every failure is a PluginError; a target that cannot be reached throws
 * `unavailable` or `timeout`, never an empty answer. Which copies to make, and when, is decided by the caller.
 */
export interface SnapshotCopier {
  /** The targets of the location, in its order; none where it names none. */
  targets(call: Call): Promise<readonly CopyRegion[]>;

  /** The snapshots that backups made in the location's own region, copies not among them. */
  listOrigins(query: OriginQuery, call: Call): AsyncIterable<SnapshotOrigin>;

  /** The copies in a target of snapshots of the location's own region. */
  listCopies(query: CopyQuery, call: Call): AsyncIterable<SnapshotCopy>;

  /**
   * Starts one copy and answers its id, once it is complete where no cloud goes on by itself. The caller made sure that there is none; where an answer was lost, what came of
   * the request is looked for before it is repeated. A cloud that has no room for another copy yet throws `unavailable`,
   * an origin that cannot be copied yet `conflict`, an unknown one `not-found`.
   */
  startCopy(request: { readonly originId: string; readonly region: string }, call: Call): Promise<string>;

  /** Does what a copy needs that the cloud does not make in one step; may be repeated at any point. */
  tendCopy(copy: CopyRef, call: Call): Promise<void>;

  /** Removes a copy, finished or not, with all that belongs to it. An unknown one throws `not-found`. */
  deleteCopy(copy: CopyRef, call: Call): Promise<void>;

  /** The copies of a snapshot of another region that lie in the location's own one. */
  localCopies(originId: string, call: Call): Promise<readonly SnapshotCopy[]>;
}

/** A snapshotter that knows of copies in other regions. */
export interface CopyingSnapshotter {
  readonly copies: SnapshotCopier;
}
