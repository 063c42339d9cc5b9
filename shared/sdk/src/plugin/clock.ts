/** Time, handed in so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Milliseconds of that clock in which the process had nothing to do but wait. */
  idleMs(): number;
  /** Resolves after the time has passed; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after the time has passed, counted anew from each refresh, until it is cancelled. */
  timer(ms: number, callback: () => void): ClockTimer;
}

/** A running timer. */
export interface ClockTimer {
  /** Starts the time again, also after the callback ran. */
  refresh(): void;
  cancel(): void;
}

// Beyond 24 days Node's timers ring at once.
const maxTimerMs = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  idleMs: () => performance.eventLoopUtilization().idle,
  sleep: sleepFor,
  timer: (ms, callback) => {
    const timeout = setTimeout(callback, Math.min(ms, maxTimerMs));
    return { refresh: () => void timeout.refresh(), cancel: () => clearTimeout(timeout) };
  },
};

async function sleepFor(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const wake = (): void => reject(signal?.reason);
  const timeout = setTimeout(resolve, Math.min(ms, maxTimerMs));
  signal?.addEventListener("abort", wake, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timeout);
    signal?.removeEventListener("abort", wake);
  }
}
