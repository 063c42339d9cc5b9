import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { PluginError, systemClock } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { faultOf } from "./errors.ts";
import type { RepositoryLocation } from "./repository-location.ts";
import type { ResticAnswer } from "./restic-run.ts";

/** What makes a repository, and looks at it. */
export interface RepositoryMaker {
  readonly location: RepositoryLocation;
  /** Runs `restic init` for a repository: the location's own, or a folder that becomes it. */
  init(repository: string): Promise<ResticAnswer>;
  /** Runs `restic cat config` on the location's own. */
  look(): Promise<ResticAnswer>;
  errorOf(answer: ResticAnswer): PluginError;
}

/** What a repository in a folder consists of, in the order in which it must appear: what opens it comes last. */
const parts = ["keys", "data", "index", "locks", "snapshots", "config"] as const;

/**
 * How long others get to finish what they began before they could see this one: restic makes a key of the password and
 * two requests between its look for a repository and the last file of its own.
 */
const settleMs = 5000;
const openWithinMs = 10_000;
const betweenTriesMs = 500;

/**
 * Makes a repository where there is none, or comes to one that somebody else is making: restic itself does not notice
 * when two hosts do at once, and each leaves a key, of which only one opens what the later config belongs to.
 */
export async function makeRepository(maker: RepositoryMaker, call: Call): Promise<void> {
  const { folder } = maker.location;
  if (folder === undefined) await makeRemotely(maker, call);
  else await makeInFolder(maker, folder);
}

/** Beside, under a name of its own, and then moved in: of several that do so one moves its keys in, the others leave. */
async function makeInFolder(maker: RepositoryMaker, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw unwritable(folder, error);
  });
  if (await isThere(join(folder, "config"))) return;
  const scratch = join(folder, `.flotilla-${randomUUID()}`);
  try {
    const answer = await maker.init(scratch);
    if (answer.end.code !== 0) throw maker.errorOf(answer);
    for (const part of parts) {
      // Never onto what is there: a folder of the other is not empty, and who came first has all the others, too.
      const isFirst = await isMoved(join(scratch, part), join(folder, part));
      if (part === "keys" && !isFirst) return await finished(folder);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The other one moves its last file in at any moment. */
async function finished(folder: string): Promise<void> {
  const deadline = systemClock.now() + settleMs;
  while (!(await isThere(join(folder, "config"))) && systemClock.now() < deadline)
    await systemClock.sleep(betweenTriesMs / 10, AbortSignal.timeout(2 * settleMs));
}

async function isMoved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw unwritable(to, error);
  }
}

/**
 * Nothing can be claimed in a store by restic alone, so that it is opened again when all others must have ended. Where the
 * store keeps the first config, a restic that comes second may even remove it: it takes it for its own that was cut off.
 */
async function makeRemotely(maker: RepositoryMaker, call: Call): Promise<void> {
  const made = await maker.init(maker.location.text);
  const isOthers = made.end.code !== 0;
  // A store that keeps the first config refuses the second as it refuses who may not write.
  const isRefused = isOthers && !alreadyThere.test(made.end.lines.join("\n"));
  if (isRefused && maker.errorOf(made).kind !== "denied") throw maker.errorOf(made);
  await systemClock.sleep(settleMs, call.signal);
  const deadline = systemClock.now() + openWithinMs;
  for (;;) {
    const seen = await maker.look();
    if (seen.end.code === 0) return;
    const isAbsent = faultOf(seen.end) === "no-repository";
    if (isMixed(seen)) throw torn(maker.location);
    if (!isAbsent) throw maker.errorOf(seen);
    if (!isOthers || systemClock.now() > deadline) throw isRefused ? refusedOrTorn(maker, made) : torn(maker.location);
    await systemClock.sleep(betweenTriesMs, call.signal);
  }
}

/** Somebody else's files were there, the last of them perhaps not yet. */
const alreadyThere = /already (?:exists|initialized|contains keys)/i;

/** The password opens a key that is not that of the config. */
function isMixed({ end }: ResticAnswer): boolean {
  return /config or key .* is damaged/i.test(end.lines.join("\n"));
}

const tornText =
  "two hosts made it at the same moment, or one was killed while it did, and its keys and its config do not belong together. Nothing was stored now. Where there are no files in its snapshots folder, remove it whole and make it anew by restic init, once; otherwise restore the config that it had";

function torn({ shown }: RepositoryLocation): PluginError {
  return new PluginError(`make the repository ${shown}: ${tornText}`, { kind: "conflict" });
}

/** A store that keeps the first file of a name refuses both in the same words. */
function refusedOrTorn(maker: RepositoryMaker, made: ResticAnswer): PluginError {
  const { message, kind } = maker.errorOf(made);
  return new PluginError(`${message}. If they suffice, ${tornText}`, { kind });
}

function unwritable(path: string, cause: unknown): PluginError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  return new PluginError(
    `make the repository: the file system answered ${code} for ${path}; check that the server's user may write there`,
    { kind: "denied", code, cause },
  );
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
