import { giveBlock } from "../plugin/index.ts";
import type { PluginError } from "../plugin/index.ts";
import type { Checksum } from "./blob-driver.ts";
import type { RunningChecksum } from "./checksum.ts";
import type { PartPlan } from "./part-plan.ts";
import type { PartShare } from "./part-pool.ts";

/** A part ready to be sent. */
export interface CutPart {
  /** 1-based. */
  readonly number: number;
  readonly body: Uint8Array;
  readonly checksum: Checksum | undefined;
  /** Whether this is known to be the last one. Always told of the first. */
  readonly isLast: boolean;
  /** Gives the memory back. `isIdle`: nobody can still be reading it. */
  readonly release: (isIdle: boolean) => void;
}

/** What cutting needs. */
export interface CutOptions {
  readonly plan: PartPlan;
  readonly share: PartShare;
  /** Undefined where the location switched checksums off. */
  readonly checksum: RunningChecksum | undefined;
  readonly signal: AbortSignal;
  /** Why an object with more parts than planned is refused. */
  readonly tooLarge: () => PluginError;
}

/** The first buffer of an object, which is small until the object proves not to be, and the factor by which it grows. */
const seedBytes = 64 * 1024;
const growth = 4;

/**
 * Cuts a stream into parts. Bytes are copied and summed as they arrive, and a block is given back then. An empty stream
 * gives one empty part.
 */
export async function* cutParts(source: AsyncIterable<Uint8Array>, options: CutOptions): AsyncGenerator<CutPart> {
  const cutter = new PartCutter(options);
  for await (const chunk of source) {
    let rest = chunk;
    while (rest.byteLength > 0) {
      if (cutter.isFull) yield cutter.cut(false);
      rest = await cutter.fill(rest);
    }
    giveBlock(chunk);
    // Sent without waiting for more, but for the first: only one that is not the last needs an upload of parts.
    if (cutter.isFull && cutter.number > 1) yield cutter.cut(false);
  }
  if (cutter.number === 1 || cutter.hasBytes) yield cutter.cut(true);
}

class PartCutter {
  readonly #options: CutOptions;
  #number = 1;
  #buffer: Buffer<ArrayBuffer> | undefined;
  #length = 0;

  constructor(options: CutOptions) {
    this.#options = options;
  }

  /** The number of the part being filled. */
  get number(): number {
    return this.#number;
  }

  get hasBytes(): boolean {
    return this.#length > 0;
  }

  get isFull(): boolean {
    return this.#length === this.#options.plan.sizeOf(this.#number);
  }

  /** Copies as much as fits and answers the rest. */
  async fill(bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#buffer === undefined || this.#length === this.#buffer.byteLength) await this.#makeRoom();
    const buffer = this.#buffer ?? Buffer.alloc(0);
    const taken = bytes.subarray(0, buffer.byteLength - this.#length);
    this.#options.checksum?.update(taken);
    buffer.set(taken, this.#length);
    this.#length += taken.byteLength;
    return bytes.subarray(taken.byteLength);
  }

  /** Hands the part out and begins the next. */
  cut(isLast: boolean): CutPart {
    const { share, checksum } = this.#options;
    const buffer = this.#buffer;
    const part: CutPart = {
      number: this.#number,
      body: buffer === undefined ? new Uint8Array(0) : buffer.subarray(0, this.#length),
      checksum: checksum?.digest(),
      isLast,
      release: (isIdle) => {
        if (buffer !== undefined) share.give(buffer, isIdle);
      },
    };
    this.#number += 1;
    this.#buffer = undefined;
    this.#length = 0;
    return part;
  }

  async #makeRoom(): Promise<void> {
    const { plan, share, signal, tooLarge } = this.#options;
    const size = plan.sizeOf(this.#number);
    if (size === undefined) throw tooLarge();
    const grown = this.#number === 1 ? Math.max(seedBytes, this.#length * growth) : size;
    const capacity = Math.min(size, grown);
    this.#buffer =
      this.#buffer === undefined
        ? await share.take(capacity, signal)
        : await share.grow(this.#buffer, capacity, signal);
  }
}
