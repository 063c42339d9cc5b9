import { Transform } from "node:stream";
import type { TransformCallback } from "node:stream";

import type { Direction } from "./fault-proxy.ts";

/**
 * What happens to the body of one request (`up`) or of its answer (`down`).
 *
 * - `cut`: the connection is reset there. At 0 of `down` the store has done its work and nobody hears of it.
 * - `end`: the answer ends there as if the connection had been closed in good order. Of `down` only.
 * - `stall`: nothing passes from there on, and the connection stays open.
 * - `corrupt`: this byte is another.
 */
export interface BodyFault {
  readonly kind: "cut" | "end" | "stall" | "corrupt";
  readonly direction: Direction;
  /** The offset in the body; a negative one counts from its end. */
  readonly at: number;
  /** A body whose Content-Length is less passes unharmed: it is a document and no content. Default: 0. */
  readonly leastBytes?: number;
}

/** Whether a body may meet the fault. */
export function isMetBy({ leastBytes = 0 }: BodyFault, contentLength: string | undefined): boolean {
  return contentLength === undefined || Number(contentLength) >= leastBytes;
}

/** Passes a body on and lets a fault happen to it. */
export class FaultyBody extends Transform {
  readonly #isCorruption: boolean;
  readonly #at: number;
  readonly #onReached: () => void;
  /** The end of what came, as long as a negative offset may lie in it. */
  #held: Buffer = Buffer.alloc(0);
  #seen = 0;

  /** `onReached` hears when everything before the fault has passed. */
  constructor({ kind, at }: BodyFault, onReached: () => void) {
    super();
    this.#isCorruption = kind === "corrupt";
    this.#at = at;
    this.#onReached = onReached;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#at < 0) {
      const all = Buffer.concat([this.#held, chunk]);
      const passing = Math.max(0, all.length + this.#at);
      this.#held = all.subarray(passing);
      return done(undefined, all.subarray(0, passing));
    }
    const offset = this.#at - this.#seen;
    this.#seen += chunk.length;
    if (offset < 0 || offset >= chunk.length) return done(undefined, chunk);
    this.#strike(chunk, offset, done);
  }

  override _flush(done: TransformCallback): void {
    if (this.#at >= 0 || this.#held.length < -this.#at) return done(undefined, this.#held);
    this.#strike(this.#held, 0, done);
  }

  #strike(chunk: Buffer, offset: number, done: TransformCallback): void {
    if (this.#isCorruption) {
      chunk.writeUInt8(chunk.readUInt8(offset) ^ 0x01, offset);
      this.#onReached();
      return done(undefined, chunk);
    }
    if (offset > 0) this.push(chunk.subarray(0, offset));
    // `done` is not called: nothing more is taken from the sender.
    this.#onReached();
  }
}
