import { setTimeout as delay } from "node:timers/promises";

import { isTransient, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import type { Call, OriginQuery, SnapshotCopier, SnapshotOrigin } from "@flotilla/sdk/plugin";
import { CopyRounds } from "@flotilla/sdk/volumes";
import type { CopyStatus } from "@flotilla/sdk/volumes";

import { UsageError } from "../cli-error.ts";
import type { Session } from "../session.ts";

/** What of an opened location its copies need. */
export interface CopyingLocation {
  readonly client: { readonly copies: SnapshotCopier };
  readonly location: { readonly name: string };
}

/** Which snapshots to copy, and how. */
export interface CopyRequest {
  /** Empty for all that backups made, or all of one backup. */
  readonly snapshotIds: readonly string[];
  readonly backup: string | undefined;
  /** Whether to stay until everything is complete. */
  readonly isWatching: boolean;
  readonly intervalMs: number;
  /** After which watching ends; undefined for never. */
  readonly timeoutMs: number | undefined;
  /** Copies of a target at once instead of the cloud's own bound. */
  readonly parallel: number | undefined;
  /** How long to watch for nothing but targets that do not answer; ten minutes unless told. */
  readonly silenceMs?: number;
}

const defaultSilenceMs = 600_000;

/** What copying came to. */
export interface CopyResult {
  readonly statuses: readonly CopyStatus[];
  /** Snapshots that were named and do not exist, or no more. */
  readonly missing: readonly string[];
  /** Others that were deleted while their copies were made, as backups expire. */
  readonly deleted: readonly string[];
}

/** Copies snapshots to the location's other regions. Whatever was begun before, by whomever, is taken up. */
export async function copySnapshots(
  session: Session,
  volumes: CopyingLocation,
  request: CopyRequest,
): Promise<CopyResult> {
  const { copies } = volumes.client;
  const call = callOf(session);
  const targets = await copies.targets(call);
  if (targets.length === 0)
    throw new UsageError(
      `the location ${volumes.location.name} copies nowhere: set its key copyToRegions, for example to eu-west-1, or copyToRepository for restic`,
    );
  const found = await listOrigins(session, volumes, request);
  const neighbours = targets.some(({ isSerialPerVolume }) => isSerialPerVolume)
    ? await listNeighbours(session, volumes, request, found)
    : [];
  const rounds = new CopyRounds(copies, { parallel: request.parallel });
  const deadline = performance.now() + (request.timeoutMs ?? Number.POSITIVE_INFINITY);
  const teller = new Teller(session);
  let wanted = found;
  let heardMs = performance.now();
  for (;;) {
    const statuses = wanted.length === 0 ? [] : await rounds.run(targets, wanted, call, neighbours);
    teller.tell(statuses);
    const open = statuses.filter(({ state }) => state !== "completed" && state !== "failed");
    if (open.some(({ noAnswer }) => noAnswer === undefined)) heardMs = performance.now();
    const isSilent = performance.now() - heardMs >= (request.silenceMs ?? defaultSilenceMs);
    if (!request.isWatching || open.length === 0 || isSilent || performance.now() >= deadline)
      return { statuses, ...absentees(request, found, wanted) };
    await delay(request.intervalMs, undefined, { signal: session.context.signal });
    wanted = await lookAgain(session, volumes, request, wanted);
  }
}

function absentees(
  { snapshotIds }: CopyRequest,
  found: readonly SnapshotOrigin[],
  left: readonly SnapshotOrigin[],
): Pick<CopyResult, "missing" | "deleted"> {
  const ids = new Set(left.map(({ snapshotId }) => snapshotId));
  const gone = found.map(({ snapshotId }) => snapshotId).filter((id) => !ids.has(id));
  const missing = snapshotIds.filter((id) => !ids.has(id));
  return { missing, deleted: gone.filter((id) => !missing.includes(id)) };
}

async function listOrigins(
  session: Session,
  { client }: CopyingLocation,
  { snapshotIds, backup }: Pick<CopyRequest, "snapshotIds"> & Partial<Pick<CopyRequest, "backup">>,
): Promise<readonly SnapshotOrigin[]> {
  const query: OriginQuery = {
    ...(snapshotIds.length === 0 ? {} : { snapshotIds }),
    ...(backup === undefined ? {} : { backup }),
  };
  return await Array.fromAsync(client.copies.listOrigins(query, callOf(session)));
}

/** The other snapshots of the same volumes, for a cloud that copies those of one volume in their order only. */
async function listNeighbours(
  session: Session,
  volumes: CopyingLocation,
  { snapshotIds, backup }: CopyRequest,
  found: readonly SnapshotOrigin[],
): Promise<readonly SnapshotOrigin[]> {
  if ((snapshotIds.length === 0 && backup === undefined) || found.length === 0) return [];
  const [ids, volumeIds] = [
    new Set(found.map(({ snapshotId }) => snapshotId)),
    new Set(found.map(({ volumeId }) => volumeId)),
  ];
  const all = await listOrigins(session, volumes, { snapshotIds: [] });
  return all.filter(({ snapshotId, volumeId }) => volumeIds.has(volumeId) && !ids.has(snapshotId));
}

/** The same snapshots as they are now. New ones are left to the next run, so that each run comes to an end. */
async function lookAgain(
  session: Session,
  volumes: CopyingLocation,
  request: CopyRequest,
  wanted: readonly SnapshotOrigin[],
): Promise<readonly SnapshotOrigin[]> {
  try {
    const listed = await listOrigins(session, volumes, request);
    const ids = new Set(listed.map(({ snapshotId }) => snapshotId));
    // A list may leave out what was made a moment ago: only what is not found by its id either was deleted.
    const doubtful = wanted.map(({ snapshotId }) => snapshotId).filter((id) => !ids.has(id));
    const named = doubtful.length === 0 ? [] : await listOrigins(session, volumes, { snapshotIds: doubtful });
    const now = new Map([...listed, ...named].map((origin) => [origin.snapshotId, origin]));
    const gone = wanted.filter(({ snapshotId }) => !now.has(snapshotId));
    for (const { snapshotId } of gone) session.progress.note(`${snapshotId}  was deleted meanwhile`);
    return wanted.flatMap(({ snapshotId }) => now.get(snapshotId) ?? []);
  } catch (error) {
    session.context.signal.throwIfAborted();
    if (!isTransient(error)) throw error;
    session.progress.note(`the snapshots could not be looked up again: ${PluginError.from(error).message}`);
    return wanted;
  }
}

/** Tells each copy's change of state once, and on a terminal how far all are. What was complete before is no news. */
class Teller {
  readonly #session: Session;
  readonly #told = new Map<string, string>();
  #isFirstRound = true;

  constructor(session: Session) {
    this.#session = session;
  }

  tell(statuses: readonly CopyStatus[]): void {
    for (const status of statuses) {
      const { origin, region, state, copyId } = status;
      const key = JSON.stringify([region, origin.snapshotId]);
      const news = state === "waiting" ? "" : `${state} ${copyId ?? ""}`;
      const isOld = this.#isFirstRound && state === "completed";
      if (news !== "" && news !== this.#told.get(key) && !isOld) this.#session.progress.note(changeText(status));
      this.#told.set(key, news);
    }
    this.#isFirstRound = false;
    const count = (wanted: CopyStatus["state"]): number => statuses.filter(({ state }) => state === wanted).length;
    this.#session.progress.show(
      `copies: ${count("completed")} of ${statuses.length} complete, ${count("pending")} on their way, ` +
        `${count("waiting")} waiting, ${count("failed")} failed`,
    );
  }
}

function changeText({ origin, region, state, copyId, detail }: CopyStatus): string {
  const subject = `${origin.snapshotId} -> ${region}`;
  if (state === "failed") return `${subject}  failed: ${detail}`;
  return `${subject}  ${state === "completed" ? "complete" : "copying"} as ${copyId}`;
}

function callOf(session: Session): Call {
  const note = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    const told = Object.entries(fields).map(([name, value]) => ` ${name}=${String(value)}`);
    session.progress.note(`${message}${told.join("")}`);
  };
  return { ...session.call, log: { ...silentLogger, info: note, warn: note, error: note } };
}
