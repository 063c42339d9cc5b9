import { PluginError } from "../plugin/index.ts";
import { linkAbort } from "./abort-link.ts";
import type { Clock } from "../plugin/index.ts";

/** A bound on one request. */
export interface Deadline {
  readonly clock: Clock;
  readonly limitMs: number;
  /** The caller's. */
  readonly signal: AbortSignal;
  /** What was tried, for the error: `put part 3 of object "k" in bucket "b"`. */
  readonly what: string;
}

/**
 * Runs one request with a signal that aborts with the caller's, or with a `timeout` once the time is over. Settles at
 * once then, whether the request heeds its signal or not.
 */
export async function withDeadline<T>(deadline: Deadline, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const watch = new StallWatch(deadline);
  try {
    return await watch.wait(async () => await run(watch.signal));
  } finally {
    watch.close();
  }
}

/** Bounds each wait for the cloud, not the time in between: a reader that pauses is no stall. */
export class StallWatch {
  readonly #link;
  readonly #timer;
  readonly #onAbort = (): void => this.#interrupt?.(this.signal.reason);
  #interrupt: ((reason: unknown) => void) | undefined;

  constructor(deadline: Deadline) {
    this.#link = linkAbort(deadline.signal);
    this.#timer = deadline.clock.timer(deadline.limitMs, () => {
      if (this.#interrupt !== undefined) this.#link.abort(timedOut(deadline));
    });
    this.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Aborted with the caller's, or with a `timeout` when a wait took too long. */
  get signal(): AbortSignal {
    return this.#link.signal;
  }

  /** Waits for one answer. Rejects with the signal's reason at once when it aborts. */
  async wait<T>(run: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    this.#timer.refresh();
    try {
      // One slot instead of a race for each answer: every race would leave its reactions on the long-lived side.
      return await new Promise<T>((resolve, reject) => {
        this.#interrupt = reject;
        run().then(resolve, reject);
      });
    } finally {
      this.#interrupt = undefined;
    }
  }

  close(): void {
    this.#timer.cancel();
    this.signal.removeEventListener("abort", this.#onAbort);
    this.#link.unlink();
  }
}

function timedOut({ what, limitMs }: Deadline): PluginError {
  const seconds = Math.round(limitMs / 1000);
  return new PluginError(`${what}: no answer within ${seconds} s; check the network and the service`, {
    kind: "timeout",
  });
}
