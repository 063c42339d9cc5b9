import { finished } from "node:stream/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ServerReadableStream } from "@grpc/grpc-js";

import { BlockQueue, giveBlock, PluginError } from "../plugin/index.ts";
import { explicitEndHeader, PutDecoder } from "../wire/index.ts";
import type { PutTarget } from "../wire/index.ts";
import { receiveFramed } from "./raw-call.ts";
import type { Tap } from "./raw-call.ts";
import { thrownText } from "./thrown-text.ts";

/** The stream of a put, taken in no faster than the store's pace and handed on in blocks. */
export class IncomingBody {
  readonly #wire: ServerReadableStream<unknown, unknown>;
  readonly #endsExplicitly: boolean;
  readonly #queue = new BlockQueue();
  readonly #decoder = new PutDecoder((bytes) => this.#queue.add(bytes));
  readonly #target = Promise.withResolvers<PutTarget | undefined>();
  readonly #tap: Tap;
  #isDropped = false;
  #hasEnded = false;

  constructor(wire: ServerReadableStream<unknown, unknown>, signal: AbortSignal) {
    this.#wire = wire;
    this.#endsExplicitly = wire.metadata.get(explicitEndHeader).length > 0;
    this.#target.promise.catch(() => undefined);
    this.#tap = receiveFramed(wire, (data) => this.#take(data));
    wire.once("end", () => void this.#end());
    // Destroyed on a cancel, and then without an end.
    wire.once("close", () => this.#fail(brokenOff()));
    wire.on("error", (error) => this.#fail(brokenOff(error)));
    // A host that sends nothing more would keep the store waiting for the next message.
    signal.addEventListener("abort", () => this.#fail(signal.reason), { once: true });
    if (signal.aborted) this.#fail(signal.reason);
    wire.resume();
  }

  /** Whether the body was read to the host's end of the stream. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What the first message says; undefined where there is none. */
  async target(): Promise<PutTarget | undefined> {
    return await this.#target.promise;
  }

  /** The bytes. Throws `incomplete` when the stream was cut. */
  async *chunks(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const step = this.#queue.next();
      if (!this.#queue.isFull) this.#tap.resume();
      const { done, value } = await step;
      if (done === true) {
        this.#hasEnded = true;
        return;
      }
      yield value;
      giveBlock(value);
    }
  }

  /** Reads to the end and drops it. The host learns a failure's reason only once it has sent all: before, it sees EOF. */
  async drain(): Promise<void> {
    this.#isDropped = true;
    this.#queue.close();
    this.#tap.resume();
    // A stream that breaks off meanwhile leaves nobody to tell, and the failure before it is the one that matters.
    await finished(this.#wire, { writable: false }).catch(() => undefined);
  }

  #take(data: Buffer): void {
    if (this.#isDropped || this.#queue.hasEnded) return;
    try {
      this.#decoder.write(data);
    } catch (error) {
      this.#isDropped = true;
      this.#fail(new PluginError(`put object: ${thrownText(error)}`, { kind: "invalid-argument", cause: error }));
      return;
    }
    if (this.#decoder.target !== undefined) this.#target.resolve(this.#decoder.target);
    if (this.#queue.isFull) this.#tap.pause();
  }

  async #end(): Promise<void> {
    // A reset ends the stream like a half-close does, without an error; what tells them apart may come a turn later.
    await nextTurn();
    const isPromiseKept = !this.#endsExplicitly || this.#decoder.isLastEmpty;
    const isWhole = isPromiseKept && this.#decoder.isBetweenMessages;
    const isReset = this.#wire.cancelled || this.#tap.aborted || (this.#tap.rstCode ?? 0) !== 0;
    if (isReset || !isWhole)
      this.#fail(new PluginError("the host broke the put off; nothing was stored", { kind: "incomplete" }));
    this.#target.resolve(this.#decoder.target);
    this.#queue.end();
  }

  #fail(reason: unknown): void {
    this.#target.reject(reason);
    this.#queue.end(reason);
  }
}

function brokenOff(cause?: unknown): PluginError {
  return new PluginError("the stream of the put broke off; nothing was stored", { kind: "incomplete", cause });
}
