import { blockBytes, giveBlock, takeBlock } from "./blocks.ts";

type Step = IteratorResult<Uint8Array, undefined>;

const over: Step = { done: true, value: undefined };

/** Filled blocks beyond which a source should pause. One fills the next meanwhile. */
const enoughBlocks = 2;

/** Bytes on their way from a source that pushes to a reader that asks: copied into blocks, handed out when these are full. */
export class BlockQueue {
  readonly #ready: Uint8Array[] = [];
  #block: Buffer<ArrayBuffer> | undefined;
  #length = 0;
  #end: "none" | "whole" | { readonly error: unknown } = "none";
  #waiting: PromiseWithResolvers<Step> | undefined;

  /** Whether the source should pause. */
  get isFull(): boolean {
    return this.#ready.length >= enoughBlocks;
  }

  get isWaitedFor(): boolean {
    return this.#waiting !== undefined;
  }

  get hasEnded(): boolean {
    return this.#end !== "none";
  }

  /** Copies the bytes. */
  add(bytes: Uint8Array): void {
    if (this.hasEnded) return;
    for (let at = 0; at < bytes.byteLength;) {
      this.#block ??= takeBlock();
      const room = blockBytes - this.#length;
      const taken = at === 0 && bytes.byteLength <= room ? bytes : bytes.subarray(at, at + room);
      this.#block.set(taken, this.#length);
      this.#length += taken.byteLength;
      at += taken.byteLength;
      if (this.#length === blockBytes) this.flush();
    }
  }

  /** Hands out what there is, be the block full or not. */
  flush(): void {
    const block = this.#block;
    if (block === undefined || this.#length === 0) return;
    // A slow source's few bytes must not occupy a whole block.
    const isSmall = this.#length < blockBytes / 2 && !this.hasEnded;
    const bytes = isSmall ? Buffer.from(block.subarray(0, this.#length)) : block.subarray(0, this.#length);
    if (!isSmall) this.#block = undefined;
    this.#length = 0;
    if (this.#waiting === undefined) this.#ready.push(bytes);
    else this.#settle({ done: false, value: bytes });
  }

  /** Ends the queue after what was added, with an error where there is one. Only the first end counts. */
  end(error?: unknown): void {
    if (this.hasEnded) return;
    this.#end = error === undefined ? "whole" : { error };
    this.flush();
    if (this.#block !== undefined) giveBlock(this.#block);
    this.#block = undefined;
    if (this.#waiting !== undefined) this.#settle(this.next());
  }

  /** Forgets what nobody has read, and ends. */
  close(): void {
    this.#length = 0;
    for (const bytes of this.#ready.splice(0)) giveBlock(bytes);
    this.end();
  }

  /** The next bytes. Throws the error, once, after the last. */
  async next(): Promise<Step> {
    const value = this.#ready.shift();
    if (value !== undefined) return { done: false, value };
    if (this.#end === "none") return await (this.#waiting = Promise.withResolvers<Step>()).promise;
    if (this.#end === "whole") return over;
    const { error } = this.#end;
    this.#end = "whole";
    throw error;
  }

  #settle(step: Step | Promise<Step>): void {
    this.#waiting?.resolve(step);
    this.#waiting = undefined;
  }
}
