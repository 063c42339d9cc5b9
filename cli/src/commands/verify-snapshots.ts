import { setTimeout as delay } from "node:timers/promises";

import type { SnapshotDescription } from "@flotilla/sdk/plugin";
import { isKind, PluginError } from "@flotilla/sdk/plugin";

import type { SnapshotRecord } from "../backup-layout/snapshot-record.ts";
import type { OpenedVolumes, Session } from "../session.ts";

/** What asking the cloud for a snapshot showed; `unverified` where it could not be asked. */
type SnapshotStatus = "ok" | "unverified" | "pending" | "failed" | "missing" | "unreadable";

/** One snapshot's verdict. */
export interface SnapshotVerdict {
  readonly persistentVolume: string;
  readonly snapshotId: string;
  readonly status: SnapshotStatus;
  /** The cloud's own word; empty where it was not asked. */
  readonly state: string;
  readonly detail: string;
}

// The clouds' words for a snapshot that can be restored from, and for one that is on its way there.
const completedStates = new Set(["completed", "succeeded", "ready"]);
const pendingStates = new Set(["pending", "creating", "uploading", "recovering"]);
const pollMs = 500;

/** Asks the cloud for each snapshot. One that is pending is asked for again until the wait is over. */
export async function verifySnapshots(
  session: Session,
  volumes: OpenedVolumes | undefined,
  records: readonly SnapshotRecord[],
  { waitMs = 0 }: { readonly waitMs?: number } = {},
): Promise<readonly SnapshotVerdict[]> {
  const deadline = performance.now() + waitMs;
  const verdicts: SnapshotVerdict[] = [];
  for (const record of records) {
    let verdict = await verifySnapshot(session, volumes, record);
    while (verdict.status === "pending" && performance.now() < deadline) {
      await delay(pollMs, undefined, { signal: session.context.signal });
      verdict = await verifySnapshot(session, volumes, record);
    }
    verdicts.push(verdict);
  }
  return verdicts;
}

async function verifySnapshot(
  session: Session,
  volumes: OpenedVolumes | undefined,
  { persistentVolumeName: persistentVolume, snapshotId }: SnapshotRecord,
): Promise<SnapshotVerdict> {
  const subject = { persistentVolume, snapshotId };
  if (volumes === undefined) {
    const detail = "no volume location given: add --volume-config or --volume-location to ask for it";
    return { ...subject, status: "unverified", state: "", detail };
  }
  try {
    const description = await volumes.client.describeSnapshot(snapshotId, session.call);
    return { ...subject, ...judge(description), state: description.state };
  } catch (error) {
    session.context.signal.throwIfAborted();
    const { message } = PluginError.from(error);
    return { ...subject, status: statusOf(error), state: "", detail: message };
  }
}

function judge({ state, progressPercent }: SnapshotDescription): { status: SnapshotStatus; detail: string } {
  const word = state.toLowerCase();
  if (completedStates.has(word)) return { status: "ok", detail: "" };
  if (pendingStates.has(word)) {
    return { status: "pending", detail: `${progressPercent} % done: verify again later, or add --wait 10m` };
  }
  return { status: "failed", detail: `the cloud says ${JSON.stringify(state)}: this volume cannot be restored` };
}

function statusOf(error: unknown): SnapshotStatus {
  if (isKind(error, "unsupported")) return "unverified";
  return isKind(error, "not-found") ? "missing" : "unreadable";
}
