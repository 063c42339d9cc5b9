import { isKind, isTransient, PluginError, systemClock } from "../plugin/index.ts";
import type { Call, Clock, CopyRegion, SnapshotCopier, SnapshotCopy, SnapshotOrigin } from "../plugin/index.ts";
import { planTarget } from "./copy-plan.ts";
import type { CopyStatus, PlanInput, TargetPlan } from "./copy-plan.ts";
import { withinTime } from "./within-time.ts";

/** How the rounds are run. */
export interface CopyRoundsOptions {
  /** How many copies of a target may run at once instead of the cloud's own bound. */
  readonly parallel?: number | undefined;
  /** How often a copy that failed is made again before it counts as failed; twice unless told. */
  readonly maxRepeats?: number | undefined;
  /** How long a target is waited for that is asked for the copies of one snapshot; for ever unless told. */
  readonly patience?: { readonly timeoutMs: number };
  readonly clock?: Clock;
}

const defaultRepeats = 2;
/** For so long a copy that was begun may be missing in lists, which clouds bring up to date a moment later. */
const unlistedMs = 60_000;

/** A copy that was begun here. */
interface BegunCopy {
  readonly copy: SnapshotCopy;
  readonly atMs: number;
}

type Chosen = Pick<PlanInput, "origins" | "neighbours"> & { readonly neighbours: readonly SnapshotOrigin[] };

/**
 * Makes the copies of snapshots, round by round. What exists is looked up anew in each round, so that it does not matter
 * who made it, when, or whether that one was killed; only how often a copy failed is remembered here, and what was begun a
 * moment ago.
 */
export class CopyRounds {
  readonly #copier: SnapshotCopier;
  readonly #options: CopyRoundsOptions;
  /** Of each target and snapshot, how often a failed copy was removed. */
  readonly #failures = new Map<string, number>();
  readonly #begun = new Map<string, BegunCopy>();
  readonly #clock: Clock;

  constructor(copier: SnapshotCopier, options: CopyRoundsOptions = {}) {
    this.#copier = copier;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Looks, removes what failed, starts what may start, and tells how each copy stands. Throws on abort only. The
   * neighbours are other snapshots of the same volumes, of which no copy is wanted.
   */
  async run(
    targets: readonly CopyRegion[],
    origins: readonly SnapshotOrigin[],
    call: Call,
    neighbours: readonly SnapshotOrigin[] = [],
  ): Promise<readonly CopyStatus[]> {
    const chosen = { origins, neighbours };
    const statuses = await Promise.all(targets.map(async (target) => await this.#runTarget(target, chosen, call)));
    return statuses.flat();
  }

  async #runTarget(target: CopyRegion, chosen: Chosen, call: Call): Promise<readonly CopyStatus[]> {
    const { origins } = chosen;
    let copies: readonly SnapshotCopy[];
    try {
      copies = this.#withBegun(target, await this.#list(target, chosen, call));
    } catch (error) {
      call.signal.throwIfAborted();
      return origins.map((origin) => withoutAnswer(origin, target.region, error));
    }
    const plan = this.#plan(target, chosen, copies);
    tellOvertaken(target, plan, call);
    const troubles = new Map<string, unknown>();
    await this.#prepare(plan, troubles, call);
    const started = await this.#start(target, plan.start, troubles, call);
    return plan.statuses.map((status) => {
      const copyId = started.get(status.origin.snapshotId);
      if (copyId !== undefined) return { ...status, state: "pending", copyId };
      const trouble = troubles.get(status.origin.snapshotId);
      return trouble === undefined ? status : troubled(status, trouble);
    });
  }

  /** One snapshot's copies are asked for by its id, so that waiting for it does not list everything again and again. */
  async #list(target: CopyRegion, { origins, neighbours }: Chosen, call: Call): Promise<readonly SnapshotCopy[]> {
    const [only, ...others] = [...origins, ...neighbours];
    const query = only !== undefined && others.length === 0 ? { originId: only.snapshotId } : {};
    const list = async (call: Call): Promise<readonly SnapshotCopy[]> =>
      await Array.fromAsync(this.#copier.listCopies({ region: target.region, ...query }, call));
    const { patience } = this.#options;
    if (patience === undefined) return await list(call);
    const what = `the copies in ${target.region} to be listed`;
    return await withinTime({ what, ...patience, clock: this.#clock }, call, list);
  }

  /** A second copy would be made of whatever the list leaves out. */
  #withBegun({ region }: CopyRegion, listed: readonly SnapshotCopy[]): readonly SnapshotCopy[] {
    const ids = new Set(listed.map(({ copyId }) => copyId));
    const unlisted: SnapshotCopy[] = [];
    for (const [key, { copy, atMs }] of this.#begun) {
      if (copy.region !== region) continue;
      if (ids.has(copy.copyId) || this.#clock.now() - atMs >= unlistedMs) this.#begun.delete(key);
      else unlisted.push(copy);
    }
    return unlisted.length === 0 ? listed : [...listed, ...unlisted];
  }

  #plan(target: CopyRegion, chosen: Chosen, copies: readonly SnapshotCopy[]): TargetPlan {
    const { parallel, maxRepeats = defaultRepeats } = this.#options;
    const isGivenUp = (originId: string): boolean =>
      (this.#failures.get(keyOf(target.region, originId)) ?? 0) >= maxRepeats;
    return planTarget({ ...chosen, target, copies, parallel, isGivenUp });
  }

  async #prepare(plan: TargetPlan, troubles: Map<string, unknown>, call: Call): Promise<void> {
    const { statuses, remove, tend } = plan;
    const living = new Set(
      statuses.flatMap(({ state, origin }) =>
        state === "completed" || state === "pending" ? [origin.snapshotId] : [],
      ),
    );
    for (const copy of remove) {
      const { region, copyId, originId, detail } = copy;
      const isRemnant = living.has(originId);
      const doing = isRemnant
        ? "a failed copy beside a good one is removed"
        : "a failed copy is removed and made again";
      call.log.info(doing, { snapshotId: originId, copyId, region, reason: detail });
      await attempt(originId, troubles, call, async () => {
        await unlessAbsent(async () => await this.#copier.deleteCopy(copy, call));
        const key = keyOf(region, originId);
        if (!isRemnant) this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
      });
    }
    for (const copy of tend)
      await attempt(copy.originId, troubles, call, async () => await this.#copier.tendCopy(copy, call));
  }

  /** Starts one after the other. What would meet all of them ends it: a full cloud for this round, a denial for good. */
  async #start(
    { region }: CopyRegion,
    origins: readonly SnapshotOrigin[],
    troubles: Map<string, unknown>,
    call: Call,
  ): Promise<ReadonlyMap<string, string>> {
    const started = new Map<string, string>();
    for (const { snapshotId: originId } of origins) {
      if (troubles.has(originId)) continue;
      const copyId = await attempt(originId, troubles, call, async () =>
        this.#copier.startCopy({ originId, region }, call),
      );
      if (copyId !== undefined) {
        started.set(originId, copyId);
        this.#begun.set(keyOf(region, originId), {
          copy: begunCopy(copyId, originId, region),
          atMs: this.#clock.now(),
        });
      }
      const trouble = troubles.get(originId);
      if (trouble === undefined || !meetsAll(trouble)) continue;
      for (const { snapshotId } of origins)
        if (!started.has(snapshotId) && !troubles.has(snapshotId)) troubles.set(snapshotId, trouble);
      break;
    }
    return started;
  }
}

/** Whoever chose snapshots did not choose this. */
function tellOvertaken({ region }: CopyRegion, { start, overtakes }: TargetPlan, call: Call): void {
  if (overtakes.length === 0) return;
  call.log.info("earlier snapshots of the volumes have no copy, and can have none once a later one is copied", {
    region,
    copied: start.map(({ snapshotId }) => snapshotId).join(", "),
    earlier: overtakes.map(({ snapshotId }) => snapshotId).join(", "),
  });
}

async function attempt<T>(
  originId: string,
  troubles: Map<string, unknown>,
  call: Call,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    call.signal.throwIfAborted();
    troubles.set(originId, error);
    return undefined;
  }
}

async function unlessAbsent(remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!isKind(error, "not-found")) throw error;
  }
}

/** A conflict passes by itself: the cloud finishes the snapshot, or another copy of its volume, first. */
function mayPass(error: unknown): boolean {
  return isTransient(error) || isKind(error, "conflict");
}

function meetsAll(error: unknown): boolean {
  return isTransient(error) || isKind(error, "denied") || isKind(error, "invalid-config");
}

/** A remnant that stays does not make a complete copy less complete. */
function troubled(status: CopyStatus, error: unknown): CopyStatus {
  if (status.state === "completed") return status;
  const detail = PluginError.from(error).message;
  return { ...status, state: mayPass(error) && status.state !== "failed" ? "waiting" : "failed", detail };
}

function withoutAnswer(origin: SnapshotOrigin, region: string, error: unknown): CopyStatus {
  const detail = PluginError.from(error).message;
  const state = mayPass(error) ? "waiting" : "failed";
  const noAnswer = isTransient(error) ? PluginError.from(error) : undefined;
  return { origin, region, state, copyId: undefined, progressPercent: 0, detail, noAnswer };
}

function begunCopy(copyId: string, originId: string, region: string): SnapshotCopy {
  const unknown = { originRegion: "", detail: "", progressPercent: 0, startedAt: undefined, needsTending: false };
  return { ...unknown, copyId, originId, region, state: "pending" };
}

function keyOf(region: string, originId: string): string {
  return JSON.stringify([region, originId]);
}
