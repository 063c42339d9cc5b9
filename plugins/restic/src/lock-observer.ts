import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";
import type { Call, Clock } from "@flotilla/sdk/plugin";
import { writeWhole } from "./whole-file.ts";

/** What is known of a lock, which restic replaces by a new one every five minutes as long as its process lives. */
interface SeenLock {
  /** When this machine first saw it, by its own clock. */
  readonly seenMs: number;
  /** When it was made, by the clock of the machine that did. */
  readonly madeMs: number;
  readonly host: string;
}

/** When restic takes a lock for stale, by comparing two clocks. */
const staleAfterMs = 30 * 60_000;

/** A lock that stays the same for so long by one clock belongs to no living process. */
const observedMs = 10 * 60_000;

/** Of one look; each takes a restic. */
const readAtOnce = 20;

/** How restic is asked: `list locks`, `cat lock ID`. Undefined where it fails. */
export type AskOfLocks = (args: readonly string[], call: Call) => Promise<string | undefined>;

/**
 * Looks at locks before restic may remove those that it takes for stale: it does so by their time, and the lock of a
 * prune on a machine whose clock is behind, or seen from one whose clock is ahead, is stale from its beginning. What is
 * stored beside a prune may lose its data to it. What was seen outlives this process, beside restic's cache.
 */
export class LockObserver {
  readonly #file: string;
  readonly #clock: Pick<Clock, "now">;
  readonly #ask: AskOfLocks;

  constructor(cacheFolder: string, clock: Pick<Clock, "now">, ask: AskOfLocks) {
    this.#file = join(cacheFolder, "flotilla-locks");
    this.#clock = clock;
    this.#ask = ask;
  }

  /** The host of a lock that restic would remove although it may be alive; undefined where there is none. */
  async doubtfulHost(call: Call): Promise<string | undefined> {
    const listed = await this.#ask(["list", "locks"], call);
    if (listed === undefined) return "unknown";
    const ids = listed.match(/^[0-9a-f]{64}$/gm) ?? [];
    const before = await this.#read();
    const now = this.#clock.now();
    const seen = new Map<string, SeenLock>();
    let reads = 0;
    for (const id of ids) {
      const known = before.get(id);
      // Its clock was set back since, which makes what it says of then worthless.
      const isUsable = known !== undefined && known.seenMs <= now;
      if (!isUsable && (reads += 1) > readAtOnce) return "unknown";
      const lock = isUsable ? known : parseLock(await this.#ask(["cat", "lock", id], call), now);
      if (lock !== undefined) seen.set(id, lock);
    }
    await writeWhole(this.#file, JSON.stringify(Object.fromEntries(seen)));
    return [...seen.values()].find((lock) => isDoubtful(lock, now))?.host;
  }

  async #read(): Promise<ReadonlyMap<string, SeenLock>> {
    const found = new Map<string, SeenLock>();
    const text = await readFile(this.#file, "utf8").catch(() => "");
    const locks = parsed(text);
    if (!isJsonObject(locks)) return found;
    for (const [id, lock] of Object.entries(locks)) {
      if (!isJsonObject(lock)) continue;
      const { seenMs, madeMs, host } = lock;
      if (typeof seenMs === "number" && typeof madeMs === "number" && typeof host === "string")
        found.set(id, { seenMs, madeMs, host });
    }
    return found;
  }
}

/** Of this host restic asks whether the process runs, and believes no clock. */
function isDoubtful({ seenMs, madeMs, host }: SeenLock, now: number): boolean {
  return host !== hostname() && now - madeMs > staleAfterMs && now - seenMs < observedMs;
}

/** Undefined where it is gone by now. */
function parseLock(text: string | undefined, now: number): SeenLock | undefined {
  const lock = text === undefined ? undefined : parsed(text);
  const { time, hostname: host } = isJsonObject(lock) ? lock : {};
  const madeMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
  return typeof host === "string" && !Number.isNaN(madeMs) ? { seenMs: now, madeMs, host } : undefined;
}

function parsed(text: string): ReturnType<typeof parseJson> | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
