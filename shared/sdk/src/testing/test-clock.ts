import type { Clock, ClockTimer } from "../plugin/index.ts";

interface Alarm {
  readonly dueMs: number;
  readonly ring: () => void;
}

/** A clock that stands still until a test moves it. */
export class TestClock implements Clock {
  /** Every sleep that was asked for, in order. */
  readonly sleptMs: number[] = [];
  readonly #skipsSleep: boolean;
  readonly #alarms = new Set<Alarm>();
  #nowMs = 0;

  /** With `skipsSleep`, a sleep moves the clock itself and returns at once, for tests of retries. */
  constructor(options: { readonly skipsSleep?: boolean } = {}) {
    this.#skipsSleep = options.skipsSleep ?? false;
  }

  /** Sleeps and timers that have not come due. */
  get pending(): number {
    return this.#alarms.size;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Nothing takes time but what a test waits for. */
  idleMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleptMs.push(ms);
    if (this.#skipsSleep) {
      await this.advance(ms);
      signal?.throwIfAborted();
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = this.timer(ms, resolve);
    const wake = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", wake, { once: true });
    try {
      await promise;
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", wake);
    }
  }

  timer(ms: number, callback: () => void): ClockTimer {
    let alarm: Alarm | undefined;
    const cancel = (): void => void (alarm !== undefined && this.#alarms.delete(alarm));
    const refresh = (): void => {
      cancel();
      alarm = { dueMs: this.#nowMs + ms, ring: callback };
      this.#alarms.add(alarm);
    };
    refresh();
    return { refresh, cancel };
  }

  /** Moves the clock, ringing what comes due in order, and lets what was woken go on. */
  async advance(ms: number): Promise<void> {
    const target = this.#nowMs + ms;
    for (let next = this.#nextDue(target); next !== undefined; next = this.#nextDue(target)) {
      this.#nowMs = next.dueMs;
      this.#alarms.delete(next);
      next.ring();
      await settle();
    }
    this.#nowMs = target;
    await settle();
  }

  #nextDue(target: number): Alarm | undefined {
    return [...this.#alarms].filter(({ dueMs }) => dueMs <= target).sort((a, b) => a.dueMs - b.dueMs)[0];
  }
}

/** Resolves after everything that can go on without time or I/O has gone on. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
}
