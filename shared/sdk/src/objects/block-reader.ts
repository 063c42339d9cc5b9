import { finished } from "node:stream";
import { BlockQueue, systemClock } from "../plugin/index.ts";
import { freeChunk } from "./free-chunk.ts";
import type { Readable } from "node:stream";
import type { Clock } from "../plugin/index.ts";

/** How to read blocks. */
export interface BlockReaderOptions {
  /** What to throw for an error of the source; that error itself unless told. */
  readonly translate?: (error: unknown) => unknown;
  readonly clock?: Clock;
}

/** A slow source's bytes are not held back longer than this. */
export const patienceMs = 1000;

/**
 * Reads a network body in blocks, instead of the network's chunks of 16 (TLS) or 64 KiB: each step of a chunk through
 * the layers costs about as much as its bytes. The network's memory is given back as soon as its bytes are copied. Must
 * be iterated once; leaving the iteration early destroys the source.
 */
export function readBlocks(source: Readable, options: BlockReaderOptions = {}): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => new BlockReader(source, options) };
}

type Step = IteratorResult<Uint8Array, undefined>;

class BlockReader implements AsyncIterator<Uint8Array, undefined> {
  readonly #source: Readable;
  readonly #queue = new BlockQueue();
  readonly #timer;
  /** The network's chunk that was copied last: its memory may still be the parser's while the event goes on. */
  #spent: Uint8Array | undefined;
  /** Whether the reader has waited for longer than he should, so that he gets what there is. */
  #isOverdue = false;

  constructor(source: Readable, { translate = (error) => error, clock = systemClock }: BlockReaderOptions) {
    this.#source = source;
    this.#timer = clock.timer(patienceMs, () => {
      this.#isOverdue = this.#queue.isWaitedFor;
      if (this.#isOverdue) this.#queue.flush();
    });
    source.on("data", this.#onData);
    finished(source, { writable: false }, (error) => {
      this.#stop();
      this.#queue.end(error === undefined || error === null ? undefined : translate(error));
    });
  }

  async next(): Promise<Step> {
    const step = this.#queue.next();
    if (this.#queue.isWaitedFor) {
      this.#isOverdue = false;
      this.#timer.refresh();
    }
    if (!this.#queue.isFull && this.#source.isPaused()) this.#source.resume();
    return await step;
  }

  async return(): Promise<Step> {
    this.#source.off("data", this.#onData);
    this.#stop();
    if (!this.#queue.hasEnded) this.#source.destroy();
    this.#queue.close();
    return { done: true, value: undefined };
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#freeSpent();
    this.#queue.add(chunk);
    this.#spent = chunk;
    if (this.#isOverdue) this.#queue.flush();
    if (this.#queue.isFull) this.#source.pause();
  };

  #stop(): void {
    this.#timer.cancel();
    this.#freeSpent();
  }

  #freeSpent(): void {
    if (this.#spent !== undefined) freeChunk(this.#spent);
    this.#spent = undefined;
  }
}
