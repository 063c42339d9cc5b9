import { finished } from "node:stream";
import { blockBytes, giveBlock, systemClock, takeBlock } from "../plugin/index.ts";
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

/** Filled blocks that nobody asked for yet. One fills the next meanwhile. */
const maxReady = 2;

/**
 * Reads a network body in blocks, instead of the network's chunks of 16 (TLS) or 64 KiB: each step of a chunk through
 * the layers costs about as much as its bytes. The network's memory is given back as soon as its bytes are copied. Must
 * be iterated once; leaving the iteration early destroys the source.
 */
export function readBlocks(source: Readable, options: BlockReaderOptions = {}): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => new BlockReader(source, options) };
}

type Step = IteratorResult<Uint8Array, undefined>;

const over: Step = { done: true, value: undefined };

class BlockReader implements AsyncIterator<Uint8Array, undefined> {
  readonly #source: Readable;
  readonly #translate: (error: unknown) => unknown;
  readonly #timer;
  readonly #ready: Uint8Array[] = [];
  #block: Buffer<ArrayBuffer> | undefined;
  #length = 0;
  /** The network's chunk that was copied last: its memory may still be the parser's while the event goes on. */
  #spent: Uint8Array | undefined;
  /** Whether somebody has waited for a block longer than he should, so that he gets what there is. */
  #isOverdue = false;
  #end: "none" | "whole" | { readonly error: unknown } = "none";
  #waiting: PromiseWithResolvers<Step> | undefined;

  constructor(source: Readable, { translate = (error) => error, clock = systemClock }: BlockReaderOptions) {
    this.#source = source;
    this.#translate = translate;
    this.#timer = clock.timer(patienceMs, () => this.#beOverdue());
    source.on("data", this.#onData);
    finished(source, { writable: false }, (error) => this.#onEnd(error));
  }

  async next(): Promise<Step> {
    const block = this.#ready.shift();
    if (block !== undefined) {
      if (this.#end === "none" && this.#source.isPaused()) this.#source.resume();
      return { done: false, value: block };
    }
    if (this.#end === "none") {
      this.#isOverdue = false;
      this.#timer.refresh();
      this.#waiting = Promise.withResolvers();
      return await this.#waiting.promise;
    }
    if (this.#end === "whole") return over;
    const { error } = this.#end;
    this.#end = "whole";
    throw this.#translate(error);
  }

  async return(): Promise<Step> {
    this.#source.off("data", this.#onData);
    for (const block of this.#ready.splice(0)) giveBlock(block);
    this.#length = 0;
    if (this.#end === "none") {
      this.#onEnd(undefined);
      this.#source.destroy();
    }
    return over;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#freeSpent();
    let rest = chunk;
    while (rest.byteLength > 0) {
      this.#block ??= takeBlock();
      const copied = rest.copy(this.#block, this.#length);
      this.#length += copied;
      rest = rest.subarray(copied);
      if (this.#length === blockBytes) this.#handOver();
    }
    this.#spent = chunk;
    if (this.#isOverdue) this.#handOver();
    if (this.#ready.length >= maxReady) this.#source.pause();
  };

  #beOverdue(): void {
    if (this.#waiting === undefined) return;
    this.#isOverdue = true;
    this.#handOver();
  }

  /** Passes on what the block being filled holds. */
  #handOver(): void {
    const block = this.#block;
    if (block === undefined || this.#length === 0) return;
    // A slow source's few bytes must not occupy a whole block.
    const isSmall = this.#length < blockBytes / 2 && this.#end === "none";
    const bytes = isSmall ? Buffer.from(block.subarray(0, this.#length)) : block.subarray(0, this.#length);
    if (!isSmall) this.#block = undefined;
    this.#length = 0;
    this.#isOverdue = false;
    if (this.#waiting === undefined) this.#ready.push(bytes);
    else this.#settle((waiting) => waiting.resolve({ done: false, value: bytes }));
  }

  #onEnd(error: unknown): void {
    if (this.#end !== "none") return;
    this.#timer.cancel();
    this.#end = error === undefined || error === null ? "whole" : { error };
    this.#freeSpent();
    this.#handOver();
    if (this.#block !== undefined) giveBlock(this.#block);
    this.#block = undefined;
    // Nothing was left to hand over: whoever waits learns the end.
    this.#settle((waiting) => waiting.resolve(this.next()));
  }

  #settle(answer: (waiting: PromiseWithResolvers<Step>) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) answer(waiting);
  }

  #freeSpent(): void {
    if (this.#spent !== undefined) freeChunk(this.#spent);
    this.#spent = undefined;
  }
}
