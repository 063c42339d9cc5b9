import { WaitingLine } from "./waiting-line.ts";

/**
 * Keeps this process's own restics from locking each other out: any number that add to the repository, or one that
 * removes from it.
 */
export class OperationGate {
  #appending = 0;
  #isExclusive = false;
  readonly #waiting = new WaitingLine();

  /** Whether one that removes could start at once. */
  get isFree(): boolean {
    return !this.#isExclusive && this.#appending === 0;
  }

  async enter(kind: "append" | "exclusive", signal: AbortSignal): Promise<Disposable> {
    while (kind === "append" ? this.#isExclusive : !this.isFree) await this.#waiting.wait(signal);
    if (kind === "append") this.#appending += 1;
    else this.#isExclusive = true;
    return {
      [Symbol.dispose]: () => {
        if (kind === "append") this.#appending -= 1;
        else this.#isExclusive = false;
        this.#waiting.wakeAll();
      },
    };
  }
}
