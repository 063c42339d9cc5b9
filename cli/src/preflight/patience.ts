/**
 * How long an answer is waited for. A plugin asks a store that is silent again and again, as a backup wants it; who looks
 * at a terminal wants to know that it is silent.
 */
export class Patience implements Disposable {
  readonly #limitMs: number;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.renew();
  }

  /** Ends with the patience. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits as long once more: something was answered. */
  renew(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), this.#limitMs);
  }

  /** Awaits what cannot be called off. */
  async of<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    const { promise, reject } = Promise.withResolvers<never>();
    const give = (): void => reject(signal.reason);
    signal.addEventListener("abort", give);
    try {
      return await Promise.race([work, promise]);
    } finally {
      signal.removeEventListener("abort", give);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
