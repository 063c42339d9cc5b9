/**
 * Keeps this process's own restics from locking each other out: any number that add to the repository, or one that
 * removes from it.
 */
export class OperationGate {
  #appending = 0;
  #isExclusive = false;
  #waiting: (() => void)[] = [];

  /** Whether one that removes could start at once. */
  get isFree(): boolean {
    return !this.#isExclusive && this.#appending === 0;
  }

  async enter(kind: "append" | "exclusive", signal: AbortSignal): Promise<Disposable> {
    while (kind === "append" ? this.#isExclusive : !this.isFree) await this.#change(signal);
    if (kind === "append") this.#appending += 1;
    else this.#isExclusive = true;
    return {
      [Symbol.dispose]: () => {
        if (kind === "append") this.#appending -= 1;
        else this.#isExclusive = false;
        for (const wake of this.#waiting.splice(0)) wake();
      },
    };
  }

  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => reject(signal.reason);
    this.#waiting.push(resolve);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }
}
