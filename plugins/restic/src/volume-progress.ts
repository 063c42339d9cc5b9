import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, Clock, ClockTimer } from "@flotilla/sdk/plugin";

import type { ResticStatus } from "./volume-messages.ts";

/** What is watched. */
export interface ProgressWatchOptions {
  /** Begins errors and log lines: `snapshot the volume /volumes/a`. */
  readonly action: string;
  readonly clock: Clock;
  /** It will say nothing, so that silence is no sign that nothing moves. */
  readonly isSilent?: boolean;
}

/** restic tries a failed request again for a quarter of an hour; a single huge file moves its count of bytes. */
const stallLimitMs = 30 * 60_000;
const firstLogMs = 30_000;
const slowestLogMs = 15 * 60_000;

/**
 * Watches how far restic gets: tells the log now and then, at growing intervals, and aborts what gets no further. That
 * restic speaks is not enough: it repeats its status every second, whatever happens.
 */
export class ProgressWatch implements Disposable {
  /** The call, aborted also when nothing moves any more. */
  readonly call: Call;
  readonly #options: ProgressWatchOptions;
  readonly #stall: ClockTimer | undefined;
  readonly #startedAt: number;
  #last = "";
  #logPauseMs = firstLogMs;
  #nextLogAt: number;

  constructor(options: ProgressWatchOptions, call: Call) {
    const { action, clock, isSilent = false } = options;
    const stalled = new AbortController();
    this.#options = options;
    this.call = { log: call.log, signal: AbortSignal.any([call.signal, stalled.signal]) };
    this.#startedAt = clock.now();
    this.#nextLogAt = this.#startedAt + firstLogMs;
    const text = `${action}: no progress for ${stallLimitMs / 60_000} min; look at the mount of the volume and at the repository's store`;
    const giveUp = (): void => stalled.abort(new PluginError(text, { kind: "timeout" }));
    this.#stall = isSilent ? undefined : clock.timer(stallLimitMs, giveUp);
  }

  /** Hears how far it is. */
  hear(status: ResticStatus): void {
    const { files, bytes, totalFiles, totalBytes } = status;
    const now = [files, bytes, totalFiles, totalBytes].join(" ");
    if (now === this.#last) return;
    this.#last = now;
    this.#stall?.refresh();
    const time = this.#options.clock.now();
    if (time < this.#nextLogAt) return;
    const seconds = Math.round((time - this.#startedAt) / 1000);
    this.call.log.info(`${this.#options.action}: under way`, { files, bytes, totalBytes, seconds });
    this.#logPauseMs = Math.min(slowestLogMs, 2 * this.#logPauseMs);
    this.#nextLogAt = time + this.#logPauseMs;
  }

  [Symbol.dispose](): void {
    this.#stall?.cancel();
  }
}
