/**
 * Bounds how many restics make their key of the password at once: each takes a processor for half a second, and tens of
 * MiB, which a pod has not got for dozens of calls at once.
 */
export class StartLimit {
  readonly #limit: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Waits for a place. It is given back at the first of the calls of what this resolves to. */
  async take(signal: AbortSignal): Promise<() => void> {
    while (this.#running >= this.#limit) await this.#turn(signal);
    this.#running += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#running -= 1;
      this.#waiting.shift()?.();
    };
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      const at = this.#waiting.indexOf(resolve);
      if (at >= 0) this.#waiting.splice(at, 1);
      reject(signal.reason);
    };
    this.#waiting.push(resolve);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }
}
