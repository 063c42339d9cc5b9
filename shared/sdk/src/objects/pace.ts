import type { Clock, ClockTimer } from "../plugin/index.ts";

/**
 * A connection whose reader has nothing to do for longer than this is slow: a third of what the one thread of the
 * process can take in. Beside a faster one, others would cost requests, memory and time of that thread, and gain little.
 */
const idleMsPerByte = 4 / 1024 ** 2;

/** So much longer it may take. Little at first, since what is far away cannot be asked for too early. */
const firstLeewayMs = 5;
const mostLeewayMs = 50;

/**
 * Adds up how long the process idles while a reader waits for the bytes of one connection, and says once that this is
 * long. What keeps the thread busy meanwhile, such as other transfers, is not the connection's fault.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #onSlow: () => void;
  readonly #timer: ClockTimer;
  #leewayMs = firstLeewayMs;
  /** The idle time at which the wait under way began, or was looked at last; undefined between waits. */
  #idleMs: number | undefined;
  #isOver = false;

  constructor(clock: Clock, onSlow: () => void) {
    this.#clock = clock;
    this.#onSlow = onSlow;
    // Started again with each wait, which costs less than a timer of its own for each.
    this.#timer = clock.timer(firstLeewayMs, () => this.#look(0));
  }

  /** The reader begins to wait. */
  wait(): void {
    if (this.#isOver) return;
    this.#idleMs = this.#clock.idleMs();
    this.#timer.refresh();
  }

  /** The wait is over: so many bytes came. */
  arrived(bytes: number): void {
    this.#look(bytes);
    this.#idleMs = undefined;
  }

  close(): void {
    this.#isOver = true;
    this.#idleMs = undefined;
    this.#timer.cancel();
  }

  #look(bytes: number): void {
    if (this.#idleMs === undefined) return;
    const idleMs = this.#clock.idleMs();
    const leewayMs = this.#leewayMs - (idleMs - this.#idleMs) + bytes * idleMsPerByte;
    this.#leewayMs = Math.min(mostLeewayMs, leewayMs);
    this.#idleMs = idleMs;
    if (leewayMs > 0) this.#timer.refresh();
    else {
      this.close();
      this.#onSlow();
    }
  }
}
