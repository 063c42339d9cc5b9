import { backoffMs } from "@flotilla/sdk/plugin";
import type { Call, Clock } from "@flotilla/sdk/plugin";
import type { ResticVersion } from "./restic-version.ts";

const backoff = { baseMs: 1000, maxMs: 15_000 };

/** How long a restic waits itself before stale locks are looked for. */
const firstWaitMs = 20_000;

/**
 * How long it waits afterwards: it says nothing meanwhile, and one that hangs must not be taken for it. A lock may also
 * become stale while it is waited for.
 */
const nextWaitMs = 5 * 60_000;

/** Waits for a lock: by restic itself where it can, and between tries. */
export class LockWait {
  readonly #deadline: number;
  readonly #clock: Clock;
  readonly #version: ResticVersion;
  #tries = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(patienceMs: number, clock: Clock, version: ResticVersion) {
    this.#deadline = clock.now() + patienceMs;
    this.#clock = clock;
    this.#version = version;
  }

  /** Whether stale locks should be looked for now: at first, and every few minutes. */
  mayBeStale(): boolean {
    const now = this.#clock.now();
    if (now - this.#lookedAt < nextWaitMs) return false;
    this.#lookedAt = now;
    return true;
  }

  /** The flags with which the next restic waits itself. */
  flags(): readonly string[] {
    const leftMs = this.#deadline - this.#clock.now();
    const waitMs = Math.min(this.#tries === 0 ? firstWaitMs : nextWaitMs, leftMs);
    // Its own tries are five seconds apart at first.
    return this.#version.waitsForLocks && waitMs >= 10_000 ? ["--retry-lock", `${Math.floor(waitMs / 1000)}s`] : [];
  }

  /** Waits before the next try; false where there shall be none. */
  async next({ signal }: Call): Promise<boolean> {
    this.#tries += 1;
    // Stale locks were removed just before, which may have been all.
    if (this.#tries === 1) return true;
    const delayMs = backoffMs(this.#tries - 1, backoff, Math.random);
    if (this.#clock.now() + delayMs > this.#deadline) return false;
    await this.#clock.sleep(delayMs, signal);
    return true;
  }
}
