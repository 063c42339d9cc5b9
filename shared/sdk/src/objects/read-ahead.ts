import { linkAbort } from "./abort-link.ts";
import { readSegment } from "./segment.ts";
import type { Call } from "../plugin/index.ts";
import type { ReadAheadShare } from "./part-pool.ts";
import type { Segment } from "./segment.ts";
import type { TransferContext } from "./transfer-context.ts";

/** As many connections as a large download opens beside the one that it reads from. */
const maxSegmentsAhead = 9;

const mebibyte = 1024 ** 2;

/** A quarter is left to others, so that a reader who went away does not leave them with one part each. */
function readAheadBytes(limitBytes: number): number {
  return Math.floor((limitBytes * 3) / 4);
}

/**
 * The size of segments of which as many as there are connections fit into the memory at once: over a distance each
 * connection has a speed of its own, and they add up. Not below a mebibyte, where requests would cost more than bytes.
 */
export function segmentBytesFor(limitBytes: number): number {
  const bytes = Math.floor(readAheadBytes(limitBytes) / maxSegmentsAhead);
  return Math.max(mebibyte, bytes - (bytes % (mebibyte / 4)));
}

/** Segments of one object on their way before anybody asked for them, in order, as far as memory is free. */
export class ReadAhead {
  readonly #context: TransferContext;
  readonly #whole: Segment;
  readonly #segmentBytes: number;
  readonly #call: Call;
  readonly #share: ReadAheadShare;
  readonly #queue: FetchedSegment[] = [];
  /** Where the next segment begins; at the end of the whole before the start. */
  #next: number;

  constructor(context: TransferContext, whole: Segment, segmentBytes: number, call: Call) {
    this.#context = context;
    this.#whole = whole;
    this.#segmentBytes = segmentBytes;
    this.#call = call;
    this.#share = context.pool.openReadAhead();
    this.#next = whole.end;
  }

  /** Fetches what lies behind this position, and answers it. */
  start(position: number): number {
    this.#next = position;
    this.fill();
    return position;
  }

  /** Starts as many segments as fit. */
  fill(): void {
    const mostBytes = readAheadBytes(this.#context.pool.budget.limitBytes);
    while (this.#next < this.#whole.end && this.#queue.length < maxSegmentsAhead) {
      const segment = this.#nextSegment();
      const bytes = segment.end - segment.start;
      if (this.#share.heldBytes + bytes > mostBytes || !this.#share.tryTake(bytes)) return;
      this.#queue.push(new FetchedSegment(this.#context, segment, this.#call, () => this.#share.give(bytes)));
      this.#next = segment.end;
    }
  }

  /** The next segment, fetched or, where no memory was free, to be read as it arrives. Undefined after the last. */
  take(): AsyncIterable<Uint8Array> | undefined {
    const fetched = this.#queue.shift();
    if (fetched !== undefined) return fetched.read();
    if (this.#next >= this.#whole.end) return undefined;
    const segment = this.#nextSegment();
    this.#next = segment.end;
    return readSegment(this.#context, segment, this.#call);
  }

  /** Gives up what nobody asked for yet; it is fetched again when somebody does. */
  drop(): void {
    this.#next = this.#queue[0]?.segment.start ?? this.#next;
    for (const fetched of this.#queue.splice(0)) fetched.cancel();
  }

  close(): void {
    this.drop();
    this.#share.close();
  }

  #nextSegment(): Segment {
    return { ...this.#whole, start: this.#next, end: Math.min(this.#whole.end, this.#next + this.#segmentBytes) };
  }
}

/** One segment that is read whether anybody waits for it or not. */
class FetchedSegment {
  readonly segment: Segment;
  readonly #chunks: Uint8Array[] = [];
  readonly #link;
  readonly #release: () => void;
  #end: { readonly error: unknown } | undefined | "whole";
  #wake: (() => void) | undefined;

  constructor(context: TransferContext, segment: Segment, call: Call, release: () => void) {
    this.segment = segment;
    this.#release = release;
    this.#link = linkAbort(call.signal);
    void this.#fetch(readSegment(context, segment, { log: call.log, signal: this.#link.signal }));
  }

  async *read(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        // Taken by index and cleared at the end of each round: shifting an array of chunks one by one is slow.
        for (const chunk of this.#chunks.splice(0)) yield chunk;
        if (this.#chunks.length > 0) continue;
        if (this.#end === "whole") return;
        if (this.#end !== undefined) throw this.#end.error;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
    } finally {
      this.cancel();
    }
  }

  /** Frees everything. */
  cancel(): void {
    this.#chunks.length = 0;
    if (this.#end === undefined) this.#link.abort(new DOMException("no longer needed", "AbortError"));
    this.#link.unlink();
    this.#release();
  }

  async #fetch(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of source) {
        this.#chunks.push(chunk);
        this.#wake?.();
      }
      this.#end = "whole";
    } catch (error) {
      this.#end = { error };
    }
    this.#link.unlink();
    this.#wake?.();
  }
}
