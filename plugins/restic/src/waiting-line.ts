/** Those who wait until something is free again, in the order in which they came. */
export class WaitingLine {
  #waiting: (() => void)[] = [];

  /** Waits to be woken. Throws the signal's reason once it aborts, and leaves the line. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      this.#waiting = this.#waiting.filter((wake) => wake !== resolve);
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

  wakeFirst(): void {
    this.#waiting.shift()?.();
  }

  wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
