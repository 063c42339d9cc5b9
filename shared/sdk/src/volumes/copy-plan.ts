import type { CopyRegion, PluginError, SnapshotCopy, SnapshotOrigin } from "../plugin/index.ts";

/** How one snapshot's copy in one target stands. */
export interface CopyStatus {
  readonly origin: SnapshotOrigin;
  readonly region: string;
  /** `waiting`: not started, but will be; `failed`: not without help. */
  readonly state: "completed" | "pending" | "waiting" | "failed";
  readonly copyId: string | undefined;
  /** 0 to 100. */
  readonly progressPercent: number;
  /** What it waits for, or why it failed; empty otherwise. */
  readonly detail: string;
  /** Where the target could not be asked at all, and may be later: why. */
  readonly noAnswer?: PluginError | undefined;
}

/** What is to be done in one target, and how each snapshot stands before. */
export interface TargetPlan {
  readonly statuses: readonly CopyStatus[];
  /** To be started now, in this order. */
  readonly start: readonly SnapshotOrigin[];
  /** Failed copies to be removed: what stands in a new one's way, or is only a remnant. */
  readonly remove: readonly SnapshotCopy[];
  readonly tend: readonly SnapshotCopy[];
  /** Snapshots that can have no copy in the target any more once those of `start` have one. */
  readonly overtakes: readonly SnapshotOrigin[];
}

/** What a plan is made from. */
export interface PlanInput {
  readonly target: CopyRegion;
  /** The snapshots whose copies are wanted. */
  readonly origins: readonly SnapshotOrigin[];
  /** Others of the same volumes, which count where the cloud copies a volume's in the order of their creation. */
  readonly neighbours?: readonly SnapshotOrigin[] | undefined;
  /** All copies in the target, of these snapshots or others. */
  readonly copies: readonly SnapshotCopy[];
  /** How many may run at once instead of the cloud's own bound. */
  readonly parallel?: number | undefined;
  /** Whether a failed copy of this snapshot was made again often enough. */
  readonly isGivenUp?: (originId: string) => boolean;
}

/** Decides what to do in a target. Pure: what it is given is all that there is. */
export function planTarget(input: PlanInput): TargetPlan {
  const { target, copies, isGivenUp = () => false, neighbours = [] } = input;
  const origins = input.origins.toSorted(byAge);
  const byOrigin = Map.groupBy(copies, ({ originId }) => originId);
  const room = Math.max(0, boundOf(input) - copies.filter(({ state }) => state === "pending").length);
  const others = target.isSerialPerVolume ? neighbours : [];
  const related = [...origins, ...others].toSorted(byAge);
  const lateVolumes = target.isSerialPerVolume ? lastCopiedMs(related, byOrigin) : new Map<string, number>();
  const isLate = (origin: SnapshotOrigin): boolean => timeOf(origin) < (lateVolumes.get(origin.volumeId) ?? 0);
  const bestOf = ({ snapshotId }: SnapshotOrigin): SnapshotCopy | undefined => bestCopy(byOrigin.get(snapshotId) ?? []);
  const busyVolumes = new Set(
    others.flatMap((origin) => (bestOf(origin)?.state === "pending" ? [origin.volumeId] : [])),
  );
  const start: SnapshotOrigin[] = [];
  const statuses = origins.map((origin): CopyStatus => {
    const status = statusOf(origin, target.region, bestOf(origin), isGivenUp(origin.snapshotId));
    // It can never be copied, so that nothing waits for it.
    if (status.state === "waiting" && isLate(origin)) return { ...status, state: "failed", detail: overtaken };
    const isBusy = target.isSerialPerVolume && busyVolumes.has(origin.volumeId);
    if (status.state === "pending" || status.state === "waiting") busyVolumes.add(origin.volumeId);
    if (status.state !== "waiting" || origin.readiness !== "ready") return status;
    if (isBusy) return { ...status, detail: "another snapshot of the volume is copied first" };
    if (start.length >= room) return { ...status, detail: "other copies run, and the cloud takes no more at once" };
    start.push(origin);
    return status;
  });
  const wanted = new Set(origins.map(({ snapshotId }) => snapshotId));
  const isRemovable = ({ state, originId }: SnapshotCopy): boolean => {
    const isReplaced = bestCopy(byOrigin.get(originId) ?? [])?.state !== "failed";
    return state === "failed" && wanted.has(originId) && (isReplaced || !isGivenUp(originId));
  };
  return {
    statuses,
    start,
    remove: copies.filter(isRemovable),
    tend: copies.filter(({ needsTending, originId }) => needsTending && wanted.has(originId)),
    overtakes: others.filter((other) => {
      const isOpen = other.readiness !== "failed" && !isLate(other) && (bestOf(other)?.state ?? "failed") === "failed";
      return isOpen && start.some((one) => one.volumeId === other.volumeId && timeOf(one) > timeOf(other));
    }),
  };
}

/** The copy that counts: a complete one before one on its way before a failed one, the oldest of equals. */
export function bestCopy(copies: readonly SnapshotCopy[]): SnapshotCopy | undefined {
  return copies.toSorted(
    (a, b) => ranks[a.state] - ranks[b.state] || timeOf(a) - timeOf(b) || a.copyId.localeCompare(b.copyId),
  )[0];
}

const ranks: Readonly<Record<SnapshotCopy["state"], number>> = { completed: 0, pending: 1, failed: 2 };

const overtaken =
  "a later snapshot of the volume was copied first, and the cloud copies them in the order of their creation only";

/** Of each volume, when the newest of its snapshots was made that has a copy, or one on its way. */
function lastCopiedMs(
  origins: readonly SnapshotOrigin[],
  byOrigin: ReadonlyMap<string, readonly SnapshotCopy[]>,
): ReadonlyMap<string, number> {
  const copied = origins.filter(({ snapshotId }) => {
    const best = bestCopy(byOrigin.get(snapshotId) ?? []);
    return best !== undefined && best.state !== "failed";
  });
  // In the order of their creation: the last one of a volume stays.
  return new Map(copied.map((origin) => [origin.volumeId, timeOf(origin)]));
}

function statusOf(
  origin: SnapshotOrigin,
  region: string,
  best: SnapshotCopy | undefined,
  isGivenUp: boolean,
): CopyStatus {
  if (best === undefined) return { ...withoutCopy(origin), origin, region, copyId: undefined, progressPercent: 0 };
  const subject = { origin, region, copyId: best.copyId, progressPercent: best.progressPercent };
  // What belongs to a copy and is left over keeps it from counting as complete: somebody pays for it.
  if (best.state === "completed" && best.needsTending)
    return { ...subject, state: "pending", detail: "complete, but for what is left to be tidied up" };
  if (best.state !== "failed") return { ...subject, state: best.state, detail: "" };
  if (isGivenUp) return { ...subject, state: "failed", detail: failureOf(best) };
  return { ...withoutCopy(origin), origin, region, copyId: undefined, progressPercent: 0 };
}

function withoutCopy({ readiness, state, progressPercent }: SnapshotOrigin): Pick<CopyStatus, "state" | "detail"> {
  switch (readiness) {
    case "failed":
      return { state: "failed", detail: `the snapshot itself has failed (${state})` };
    case "unfinished":
      return {
        state: "waiting",
        detail: `the snapshot itself is not complete (${state}, ${Math.floor(progressPercent)} %)`,
      };
    case "ready":
      return { state: "waiting", detail: "" };
    default:
      return readiness satisfies never;
  }
}

function failureOf({ copyId, detail }: SnapshotCopy): string {
  return `the copy ${copyId} failed${detail === "" ? "" : `: ${detail}`}`;
}

function boundOf({ target, parallel }: PlanInput): number {
  if (parallel !== undefined) return parallel;
  return target.maxConcurrent === 0 ? Number.POSITIVE_INFINITY : target.maxConcurrent;
}

function byAge(a: SnapshotOrigin, b: SnapshotOrigin): number {
  return timeOf(a) - timeOf(b) || a.snapshotId.localeCompare(b.snapshotId);
}

function timeOf({ startedAt }: { readonly startedAt: Date | undefined }): number {
  return startedAt?.getTime() ?? 0;
}
