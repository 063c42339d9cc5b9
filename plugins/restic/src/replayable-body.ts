import { giveBlock } from "@flotilla/sdk/plugin";

/**
 * More than the pipe to a child takes: a restic that waits for a lock, or finds no repository, has read nothing yet, so
 * that what went into the pipe is not more than this.
 */
const keptBytes = 1024 ** 2;

/** A body that can be sent again from its beginning, as long as only its beginning was sent. */
export class ReplayableBody {
  readonly #source: AsyncIterator<Uint8Array>;
  #kept: Uint8Array[] | undefined = [];
  #keptBytes = 0;
  #next: Promise<IteratorResult<Uint8Array>> | undefined;
  #isOver = false;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#source = body[Symbol.asyncIterator]();
  }

  get canReplay(): boolean {
    return this.#kept !== undefined;
  }

  /** Whether there is not a single chunk. Waits for the first one. */
  async isEmpty(): Promise<boolean> {
    this.#next ??= this.#source.next();
    const { done } = await this.#next;
    if (done === true) this.#isOver = true;
    return this.#isOver && this.#keptBytes === 0;
  }

  /** Writes the body until it ends, or the receiver is gone, which the signal tells. Throws what the body throws. */
  async send(write: (chunk: Uint8Array) => Promise<void>, gone: AbortSignal): Promise<void> {
    for (const chunk of this.#kept?.slice() ?? []) {
      if (gone.aborted) return;
      await write(chunk);
    }
    while (!this.#isOver && !gone.aborted) {
      this.#next ??= this.#source.next();
      const step = await this.#next;
      // Another receiver gets it.
      if (gone.aborted) return;
      this.#next = undefined;
      if (step.done === true) this.#isOver = true;
      else await this.#pass(step.value, write);
    }
  }

  /** Leaves the source. */
  async close(): Promise<void> {
    this.#kept = undefined;
    if (this.#isOver) return;
    this.#isOver = true;
    // A source that hangs answers only after its own next chunk, which may never come.
    const left = this.#source.return?.();
    if (this.#next === undefined) await left;
    else left?.then(undefined, () => {});
  }

  async #pass(chunk: Uint8Array, write: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    this.#keptBytes += chunk.byteLength;
    if (this.#keptBytes <= keptBytes) this.#kept?.push(chunk);
    else this.#forget();
    const isKept = this.canReplay;
    await write(chunk);
    if (!isKept) giveBlock(chunk);
  }

  #forget(): void {
    for (const chunk of this.#kept ?? []) giveBlock(chunk);
    this.#kept = undefined;
  }
}
