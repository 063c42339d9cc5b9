import { isKind, isTransient, PluginError } from "../plugin/index.ts";
import type {
  Call,
  Clock,
  CopyRef,
  OpenedVolumeSnapshotter,
  SnapshotCopier,
  SnapshotOrigin,
  SnapshotRequest,
} from "../plugin/index.ts";
import { awaitState } from "./await-state.ts";
import type { Observed } from "./await-state.ts";
import type { CopyStatus } from "./copy-plan.ts";
import { CopyRounds } from "./copy-rounds.ts";
import { TargetSilence } from "./target-silence.ts";
import { withinTime } from "./within-time.ts";

/** How a location treats the copies of its snapshots. */
export interface SnapshotCopiesOptions {
  /** Whether a snapshot is answered only once its copies are complete too. */
  readonly isWaiting: boolean;
  /** For the copies, counted from the end of the snapshot. */
  readonly waitTimeoutMs: number;
  /** For one look at the copies in a target, which counts as one that does not answer after that; 55 s unless told. */
  readonly lookTimeoutMs?: number;
  /** Whether the cloud copies a snapshot that is not complete yet, so that copies can be started without waiting. */
  readonly copiesUnfinished: boolean;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

const cleanupTimeoutMs = 60_000;
const defaultLookTimeoutMs = 55_000;
/** A target that did not answer before is waited for a quarter of that. */
const lostPart = 0.25;
/** For a look before a deletion, which is in no hurry and must not miss a copy. */
const removalLookTimeoutMs = 300_000;

/**
 * A snapshotter whose snapshots have copies: made with them where the location waits, deleted before them. A location
 * without targets makes no request more than before.
 */
export function withSnapshotCopies(
  snapshotter: OpenedVolumeSnapshotter,
  copies: SnapshotCopier,
  options: SnapshotCopiesOptions,
): OpenedVolumeSnapshotter {
  const work = new CopiedSnapshots(snapshotter, copies, options);
  return {
    copies,
    createSnapshot: async (request, call) => await work.create(request, call),
    deleteSnapshot: async (snapshotId, call) => {
      await work.delete(snapshotId, call);
    },
    createVolumeFromSnapshot: async (request, call) => await snapshotter.createVolumeFromSnapshot(request, call),
    getVolumeInfo: async (volume, call) => await snapshotter.getVolumeInfo(volume, call),
    getVolumeId: async (volume, call) => await snapshotter.getVolumeId(volume, call),
    setVolumeId: async (volume, volumeId, call) => await snapshotter.setVolumeId(volume, volumeId, call),
    affinity: (id) => snapshotter.affinity?.(id) ?? 0,
    close: async () => {
      await snapshotter.close?.();
    },
    ...inspection(snapshotter),
  };
}

/** What says by its absence that the plugin cannot. */
function inspection(
  snapshotter: OpenedVolumeSnapshotter,
): Partial<
  Pick<OpenedVolumeSnapshotter, "check" | "checkData" | "describeSnapshot" | "listFileSnapshots" | "restoreFiles">
> {
  const { check, checkData, describeSnapshot, listFileSnapshots, restoreFiles } = snapshotter;
  return {
    ...(check === undefined ? {} : { check: check.bind(snapshotter) }),
    ...(checkData === undefined ? {} : { checkData: checkData.bind(snapshotter) }),
    ...(describeSnapshot === undefined ? {} : { describeSnapshot: describeSnapshot.bind(snapshotter) }),
    ...(listFileSnapshots === undefined ? {} : { listFileSnapshots: listFileSnapshots.bind(snapshotter) }),
    ...(restoreFiles === undefined ? {} : { restoreFiles: restoreFiles.bind(snapshotter) }),
  };
}

class CopiedSnapshots {
  readonly #snapshotter: OpenedVolumeSnapshotter;
  readonly #copies: SnapshotCopier;
  readonly #options: SnapshotCopiesOptions;
  readonly #silence: TargetSilence;
  #hasAdvised = false;

  constructor(snapshotter: OpenedVolumeSnapshotter, copies: SnapshotCopier, options: SnapshotCopiesOptions) {
    this.#snapshotter = snapshotter;
    this.#copies = copies;
    this.#options = options;
    this.#silence = new TargetSilence(options.clock);
  }

  async create(request: SnapshotRequest, call: Call): Promise<string> {
    const { isWaiting } = this.#options;
    // The snapshot of one volume after the other would be made only to be deleted again.
    if (isWaiting) for (const { region } of await this.#copies.targets(call)) this.#silence.refuse(region);
    const snapshotId = await this.#snapshotter.createSnapshot(request, call);
    const targets = await this.#copies.targets(call);
    if (targets.length === 0) return snapshotId;
    if (!isWaiting) {
      await this.#startWithoutWaiting(snapshotId, call);
      return snapshotId;
    }
    try {
      await this.#awaitCopies(snapshotId, call);
      return snapshotId;
    } catch (error) {
      await this.#removeFailed(snapshotId, call);
      throw error;
    }
  }

  /**
   * Finds all copies, and asks the snapshot's own region, before it deletes the first, so that a region which cannot be
   * reached leaves everything as it was.
   */
  async delete(snapshotId: string, call: Call): Promise<void> {
    const targets = await this.#copies.targets(call);
    // The server deletes a backup's snapshots one by one: each would wait anew for a region that is known to be lost.
    for (const { region } of targets) this.#silence.refuse(region);
    const found: CopyRef[] = [];
    for (const { region } of targets)
      for (const copyId of await this.#findCopies(region, snapshotId, call)) found.push({ region, copyId });
    if (found.length > 0) await this.#requireHome(snapshotId, call);
    for (const copy of found)
      try {
        await this.#copies.deleteCopy(copy, call);
        call.log.debug("the copy of a snapshot is deleted", { snapshotId, copyId: copy.copyId, region: copy.region });
      } catch (error) {
        if (!isKind(error, "not-found")) throw error;
      }
    await this.#snapshotter.deleteSnapshot(snapshotId, call);
  }

  async #findCopies(region: string, originId: string, call: Call): Promise<readonly string[]> {
    const { clock, lookTimeoutMs = defaultLookTimeoutMs } = this.#options;
    const timeoutMs = Math.max(lookTimeoutMs, removalLookTimeoutMs) * (this.#silence.isAnyLost ? lostPart : 1);
    const what = `the copies of snapshot ${originId} in ${region} to be listed`;
    try {
      const copies = await withinTime({ what, timeoutMs, clock }, call, async (call) => {
        return await Array.fromAsync(this.#copies.listCopies({ region, originId }, call));
      });
      this.#silence.heard(region);
      return copies.map(({ copyId }) => copyId);
    } catch (error) {
      if (isTransient(error) && !call.signal.aborted) this.#silence.lost(region, PluginError.from(error));
      throw error;
    }
  }

  /** A snapshot that stays, since its region is out of reach, is to keep its copies. One that is gone is no reason. */
  async #requireHome(snapshotId: string, call: Call): Promise<void> {
    const { clock, lookTimeoutMs = defaultLookTimeoutMs } = this.#options;
    const what = `snapshot ${snapshotId} to be looked up before its copies are deleted`;
    await withinTime({ what, timeoutMs: lookTimeoutMs, clock }, call, async (call) => {
      await Array.fromAsync(this.#copies.listOrigins({ snapshotIds: [snapshotId] }, call));
    });
  }

  async #awaitCopies(snapshotId: string, call: Call): Promise<void> {
    const { waitTimeoutMs: timeoutMs, lookTimeoutMs = defaultLookTimeoutMs, clock, random } = this.#options;
    const lookMs = this.#silence.isAnyLost ? lookTimeoutMs * lostPart : lookTimeoutMs;
    const rounds = new CopyRounds(this.#copies, { patience: { timeoutMs: lookMs }, clock });
    const observe = async (call: Call): Promise<Observed<void>> => {
      const targets = await this.#copies.targets(call);
      const origin = await this.#origin(snapshotId, call);
      const askedMs = clock.now();
      const statuses = await rounds.run(targets, [origin], call);
      for (const status of statuses) this.#silence.look(status, askedMs);
      const failed = statuses.find(({ state }) => state === "failed");
      if (failed !== undefined) throw copyFailed(snapshotId, failed);
      const open = statuses.filter(({ state }) => state !== "completed");
      return open.length === 0
        ? { done: true, value: undefined }
        : { done: false, progress: open.map(told).join("; ") };
    };
    const what = `the copies of snapshot ${snapshotId}`;
    // Where no cloud goes on by itself, one look lasts as long as a copy does.
    await withinTime({ what, timeoutMs, clock }, call, async (call) => {
      await awaitState({ what, observe, timeoutMs, clock, random }, call);
    });
  }

  async #startWithoutWaiting(snapshotId: string, call: Call): Promise<void> {
    if (!this.#options.copiesUnfinished) {
      this.#advise(call);
      return;
    }
    try {
      const origin = await this.#origin(snapshotId, call);
      const statuses = await new CopyRounds(this.#copies).run(await this.#copies.targets(call), [origin], call);
      const left = statuses.filter(({ state }) => state === "waiting" || state === "failed");
      if (left.length > 0) this.#advise(call, left.map(told).join("; "));
    } catch (error) {
      // The snapshot is made and the backup counts on it; what copies it later will say what is wrong.
      call.signal.throwIfAborted();
      this.#advise(call, PluginError.from(error).message);
    }
  }

  #advise(call: Call, reason?: string): void {
    if (this.#hasAdvised) return;
    this.#hasAdvised = true;
    call.log.info(
      "copies of snapshots are not made while the backup runs; `flotilla volume copy --all --watch` makes them, for example as a CronJob",
      reason === undefined ? {} : { reason },
    );
  }

  async #origin(snapshotId: string, call: Call): Promise<SnapshotOrigin> {
    for await (const origin of this.#copies.listOrigins({ snapshotIds: [snapshotId] }, call)) return origin;
    throw new PluginError(`the snapshot ${snapshotId}, which was just made, is not listed yet`, {
      kind: "unavailable",
    });
  }

  /**
   * Removes as much as it can, the snapshot in any case: no backup knows of it, so that nobody would ever delete it,
   * while a copy without its snapshot is found by whoever prunes.
   */
  async #removeFailed(snapshotId: string, call: Call): Promise<void> {
    // The call itself may have been aborted or have run out of time.
    const own: Call = { log: call.log, signal: AbortSignal.timeout(cleanupTimeoutMs) };
    const faults: string[] = [];
    const attempt = async (work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (!isKind(error, "not-found")) faults.push(PluginError.from(error).message);
      }
    };
    await attempt(async () => {
      const removals = (await this.#copies.targets(own)).map(async ({ region }) => {
        await attempt(async () => await this.#removeCopies(region, snapshotId, own));
      });
      await Promise.all(removals);
    });
    // Each step has its own time: a target that is silent must not use up the snapshot's.
    const last: Call = { log: call.log, signal: AbortSignal.timeout(cleanupTimeoutMs) };
    await attempt(async () => await this.#snapshotter.deleteSnapshot(snapshotId, last));
    if (faults.length === 0) return;
    const text =
      "not all of a snapshot whose copies failed could be removed; `flotilla volume prune` finds copies of it";
    call.log.info(text, { snapshotId, reason: faults.join("; ") });
  }

  async #removeCopies(region: string, originId: string, call: Call): Promise<void> {
    this.#silence.refuse(region);
    for (const copyId of await this.#findCopies(region, originId, call))
      await this.#copies.deleteCopy({ region, copyId }, call);
  }
}

function told({ region, state, progressPercent, detail }: CopyStatus): string {
  return `${region}: ${detail === "" ? `${state}, ${Math.floor(progressPercent)} %` : detail}`;
}

function copyFailed(snapshotId: string, { region, detail }: CopyStatus): PluginError {
  return new PluginError(`copy snapshot "${snapshotId}" to region ${region}: ${detail}`, { kind: "incomplete" });
}
