import { WaitingLine } from "./waiting-line.ts";

/**
 * Bounds how many restics make their key of the password at once: each takes a processor for half a second, and tens of
 * MiB, which a pod has not got for dozens of calls at once.
 */
export class StartLimit {
  readonly #limit: number;
  #running = 0;
  readonly #waiting = new WaitingLine();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Waits for a place. It is given back at the first of the calls of what this resolves to. */
  async take(signal: AbortSignal): Promise<() => void> {
    while (this.#running >= this.#limit) await this.#waiting.wait(signal);
    this.#running += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#running -= 1;
      this.#waiting.wakeFirst();
    };
  }
}
