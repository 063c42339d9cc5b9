import { join } from "node:path";

import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type {
  Call,
  CopyQuery,
  CopyRef,
  CopyRegion,
  OriginQuery,
  SnapshotCopier,
  SnapshotCopy,
  SnapshotOrigin,
} from "@flotilla/sdk/plugin";
import { backupTag } from "@flotilla/sdk/volumes";

import { isNotMadeYet } from "./repository-absence.ts";
import type { Repository } from "./repository.ts";
import type { SecondRepository } from "./second-repository.ts";
import { readArrivals, readOrigins } from "./volume-copy-states.ts";
import type { Arrival } from "./volume-copy-states.ts";
import { writeMark } from "./volume-mark.ts";
import { deleteVolumeSnapshot, findVolumeSnapshot, forget, listSnapshots, piecesOf } from "./volume-snapshots.ts";
import type { Listing, VolumeSnapshot } from "./volume-snapshots.ts";
import { printCopiedTags, printCopyingTags } from "./volume-tags.ts";

/** What copies are made with. */
export interface ResticCopierOptions {
  readonly own: Repository;
  /** Undefined where the location copies nowhere. */
  readonly second: SecondRepository | undefined;
  readonly volumeRoot: string | undefined;
}

/**
 * Copies of snapshots in a second repository, under the same ids. restic itself does the copying, so that a copy is
 * complete, or nothing that counts, when its start is answered: a mark, the files, and last the mark that they are whole.
 */
export class ResticCopier implements SnapshotCopier {
  readonly #options: ResticCopierOptions;

  constructor(options: ResticCopierOptions) {
    this.#options = options;
  }

  async targets(): Promise<readonly CopyRegion[]> {
    const { second } = this.#options;
    return second === undefined ? [] : [{ region: second.region, maxConcurrent: 0, isSerialPerVolume: false }];
  }

  async *listOrigins({ backup, snapshotIds }: OriginQuery, call: Call): AsyncGenerator<SnapshotOrigin> {
    const { own, volumeRoot } = this.#options;
    for (const { volume, bytes, startedMs, isCopy } of readOrigins(await wholeListing(own, call))) {
      const ofBackup = volume.tags[backupTag] ?? "";
      const isWanted = snapshotIds === undefined ? ofBackup !== "" && !isCopy : snapshotIds.includes(volume.snapshotId);
      if (!isWanted || (backup !== undefined && backup !== ofBackup)) continue;
      yield {
        snapshotId: volume.snapshotId,
        volumeId: join(volumeRoot ?? "/", volume.folder),
        backup: ofBackup,
        readiness: "ready",
        state: "complete",
        progressPercent: 100,
        sizeBytes: bytes,
        startedAt: new Date(startedMs),
      };
    }
  }

  async *listCopies({ region, originId }: CopyQuery, call: Call): AsyncGenerator<SnapshotCopy> {
    const second = this.#second(region);
    const { own } = this.#options;
    for (const { snapshotId, isComplete, startedMs } of await this.#arrivals(second, originId, call))
      yield {
        copyId: snapshotId,
        region,
        originId: snapshotId,
        originRegion: own.location.shown,
        state: isComplete ? "completed" : "pending",
        detail: "",
        progressPercent: isComplete ? 100 : 99,
        startedAt: new Date(startedMs),
        // Its files are all there: restic lists a snapshot no sooner. Only what says so was not written any more.
        needsTending: !isComplete,
      };
  }

  async startCopy(
    { originId, region }: { readonly originId: string; readonly region: string },
    call: Call,
  ): Promise<string> {
    const second = this.#second(region);
    const { own } = this.#options;
    const { repository } = second;
    const action = `copy the snapshot ${originId} of repository ${own.location.shown}`;
    await repository.make(call);
    const fromId = (await second.identities(call)).own.id;
    const origin = await findVolumeSnapshot(own, originId, call);
    if (await this.#isThere(repository, originId, action, call)) return originId;
    const begun = { action: `${action}: mark its beginning`, tags: printCopyingTags({ snapshotId: originId, fromId }) };
    await writeMark(repository, begun, call);
    call.log.info("copying a snapshot; restic does not tell how far it is", { snapshotId: originId, region });
    const startedMs = performance.now();
    await repository.run({ action, args: ["copy", origin.filesId], lock: "append", from: own, isSilent: true }, call);
    await this.#complete(second, origin, action, call);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    call.log.info("copied a snapshot", { snapshotId: originId, region, bytes: origin.bytes, seconds });
    return originId;
  }

  /** Says of a copy whose files are there that it is whole, which a killed copier could not any more. */
  async tendCopy({ copyId, region }: CopyRef, call: Call): Promise<void> {
    const second = this.#second(region);
    const origin = await findVolumeSnapshot(this.#options.own, copyId, call);
    await this.#complete(second, origin, `tend the copy ${copyId}`, call);
  }

  async deleteCopy({ copyId, region }: CopyRef, call: Call): Promise<void> {
    const second = this.#second(region);
    // The second repository may be another location's own, and hold the only one of what that location made.
    if ((await this.#arrivals(second, copyId, call)).length === 0)
      throw new PluginError(`copy ${copyId} in repository ${region}: not found`, { kind: "not-found" });
    await deleteVolumeSnapshot(second.repository, copyId, call);
  }

  /** Here a copy bears its origin's id, and is found by that like any other snapshot. */
  async localCopies(): Promise<readonly SnapshotCopy[]> {
    return await Promise.resolve([]);
  }

  async #arrivals(second: SecondRepository, snapshotId: string | undefined, call: Call): Promise<readonly Arrival[]> {
    const identities = await second.identities(call).catch((error: unknown) => {
      // The first copy makes it.
      if (isNotMadeYet(error)) return undefined;
      throw error;
    });
    if (identities === undefined) return [];
    const fromId = identities.own.id;
    const all = readArrivals(await wholeListing(second.repository, call)).filter(
      (arrival) => snapshotId === undefined || arrival.snapshotId === snapshotId,
    );
    if (all.every((arrival) => arrival.fromId === fromId)) return all;
    // Somebody copied by hand, or from elsewhere, or it was made there: ids are never given twice.
    const own = await wholeListing(this.#options.own, call);
    return all.filter((arrival) => {
      const { files, marks } = piecesOf(own.snapshots, arrival.snapshotId);
      return arrival.fromId === fromId || files.length + marks.length > 0;
    });
  }

  /**
   * Whether a complete copy is there. Takes away what a former one left when it was deleted, which would delete the new
   * one, too.
   */
  async #isThere(repository: Repository, snapshotId: string, action: string, call: Call): Promise<boolean> {
    const { snapshots } = await wholeListing(repository, call);
    const { files, marks, deletions } = piecesOf(snapshots, snapshotId);
    if (deletions.length === 0) return files.length > 0 && marks.length > 0;
    const ids = [...files, ...marks, ...deletions].map(({ id }) => id);
    try {
      await forget(repository, ids, call);
      return false;
    } catch (error) {
      if (!isKind(error, "held")) throw error;
      throw new PluginError(
        `${action}: a former copy is marked as deleted and not forgotten yet, since the repository ${repository.location.shown} is in use; try again later`,
        { kind: "conflict", cause: error },
      );
    }
  }

  async #complete(second: SecondRepository, origin: VolumeSnapshot, action: string, call: Call): Promise<void> {
    const { repository } = second;
    const { snapshotId, bytes } = origin;
    const { snapshots } = await wholeListing(repository, call);
    // restic copies nothing, and calls that a success, where what it shall copy is gone.
    if (piecesOf(snapshots, snapshotId).files.length === 0)
      throw new PluginError(
        `${action}: restic ended well, but the copy is not in repository ${repository.location.shown}; was the snapshot deleted meanwhile? Try again`,
        { kind: "conflict" },
      );
    const fromId = (await second.identities(call)).own.id;
    const tags = printCopiedTags({ snapshotId, fromId, bytes });
    await writeMark(repository, { action: `${action}: mark it as complete`, tags }, call);
  }

  #second(region: string): SecondRepository {
    const { second } = this.#options;
    if (second?.region === region) return second;
    throw new PluginError(`${region} is not what the location's key copyToRepository names; set it`, {
      kind: "invalid-argument",
    });
  }
}

/** A snapshot that restic could not read must not look like one that is gone. */
async function wholeListing(repository: Repository, call: Call): Promise<Listing> {
  const listing = await listSnapshots(repository, call);
  if (listing.isWhole) return listing;
  throw new PluginError(
    `list the snapshots of repository ${repository.location.shown}: restic cannot read some of them; run restic check on it`,
    { kind: "corrupt" },
  );
}
