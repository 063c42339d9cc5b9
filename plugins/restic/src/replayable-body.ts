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

  /** Reads as much as is kept; true where that is all of it. */
  async readAhead(): Promise<boolean> {
    while (!this.#isOver && this.#keptBytes <= keptBytes) {
      const step = await this.#source.next();
      if (step.done === true) this.#isOver = true;
      else this.#keep(step.value);
    }
    return this.#isOver;
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
    if (this.#keptBytes <= keptBytes) {
      this.#keep(chunk);
      await write(chunk);
      return;
    }
    for (const written of this.#kept ?? []) giveBlock(written);
    this.#kept = undefined;
    await write(chunk);
    giveBlock(chunk);
  }

  #keep(chunk: Uint8Array): void {
    this.#keptBytes += chunk.byteLength;
    this.#kept?.push(chunk);
  }
}
