/** Hands the newest of many values to a reader that may be slower than they come. */
export class LatestValue<T> {
  #next: { readonly value: T } | undefined;
  #isEnded = false;
  #wake = Promise.withResolvers<void>();

  /** Puts a value in the place of one that was not read yet. */
  set(value: T): void {
    this.#next = { value };
    this.#wake.resolve();
  }

  /** Lets the reader end once it has read the last value. */
  end(): void {
    this.#isEnded = true;
    this.#wake.resolve();
  }

  /** The values, until the end. For one reader. */
  async *values(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
      const next = this.#next;
      this.#next = undefined;
      if (next !== undefined) yield next.value;
      if (this.#isEnded && this.#next === undefined) return;
    }
  }
}
