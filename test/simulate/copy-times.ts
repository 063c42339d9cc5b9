import type { CopyRegion, SnapshotCopy, SnapshotOrigin } from "@flotilla/sdk/plugin";
import { planTarget } from "@flotilla/sdk/volumes";

/** A cloud's documented rules for copies, and how long one of them takes. */
export interface CopyScenario {
  readonly title: string;
  readonly target: CopyRegion;
  /** How many snapshots there are of each volume. */
  readonly snapshotsPerVolume: number;
  /** Of each copy in turn, in minutes; begins again after the last. */
  readonly copyMinutes: readonly number[];
}

/**
 * How many minutes the copies of so many snapshots take, by the code that decides what is started when. All snapshots are
 * there at first, and a copy that ends makes room at once: requests, throttling and failures are left out.
 */
export function simulateCopies({ target, snapshotsPerVolume, copyMinutes }: CopyScenario, snapshots: number): number {
  let waiting = originsOf(snapshots, snapshotsPerVolume);
  let running: readonly RunningCopy[] = [];
  let minute = 0;
  let started = 0;
  while (waiting.length + running.length > 0) {
    const pending = new Map(running.map(({ copy }) => [copy.originId, copy]));
    const { start } = planTarget({ target, origins: waiting, copies: [...pending.values()] });
    const begun = start.map(({ snapshotId }) => {
      const minutes = copyMinutes[started % copyMinutes.length] ?? 0;
      started += 1;
      return { copy: pendingCopy(snapshotId, target.region), endsAt: minute + minutes };
    });
    running = [...running, ...begun];
    minute = Math.min(...running.map(({ endsAt }) => endsAt));
    const done = new Set(running.filter(({ endsAt }) => endsAt === minute).map(({ copy }) => copy.originId));
    running = running.filter(({ endsAt }) => endsAt > minute);
    // What is complete is of no more consequence to the plan.
    waiting = waiting.filter(({ snapshotId }) => !done.has(snapshotId));
  }
  return minute;
}

interface RunningCopy {
  readonly copy: SnapshotCopy;
  readonly endsAt: number;
}

function originsOf(snapshots: number, perVolume: number): readonly SnapshotOrigin[] {
  const volumes = Math.ceil(snapshots / perVolume);
  return Array.from({ length: snapshots }, (_, index) => ({
    snapshotId: `snap-${String(index).padStart(6, "0")}`,
    volumeId: `vol-${index % volumes}`,
    backup: "",
    readiness: "ready",
    state: "completed",
    progressPercent: 100,
    sizeBytes: 0n,
    // One backup after the other, each of all volumes.
    startedAt: new Date(Math.floor(index / volumes)),
  }));
}

function pendingCopy(originId: string, region: string): SnapshotCopy {
  return {
    copyId: originId,
    region,
    originId,
    originRegion: "home",
    state: "pending",
    detail: "",
    progressPercent: 0,
    startedAt: undefined,
    needsTending: false,
  };
}
