import { setImmediate as nextTurn } from "node:timers/promises";
import type { ServerReadableStream } from "@grpc/grpc-js";

import { PluginError } from "../plugin/index.ts";
import { explicitEndHeader } from "../wire/index.ts";
import type { velero } from "../wire/index.ts";

type Put = velero.PutObjectRequest;

/** The stream of a put, read message by message, so that the host is slowed down to the store's pace. */
export class IncomingBody {
  readonly #wire: ServerReadableStream<Put, unknown>;
  readonly #messages: AsyncIterator<Put>;
  readonly #signal: AbortSignal;
  readonly #endsExplicitly: boolean;
  #isLastEmpty = false;
  #hasEnded = false;

  constructor(wire: ServerReadableStream<Put, unknown>, signal: AbortSignal) {
    this.#wire = wire;
    this.#signal = signal;
    // A host that sends nothing more would keep the store waiting for the next message.
    signal.addEventListener("abort", () => wire.destroy(), { once: true });
    this.#endsExplicitly = wire.metadata.get(explicitEndHeader).length > 0;
    this.#messages = wire[Symbol.asyncIterator]();
  }

  /** Whether the host's end of the stream was reached. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The next message; undefined at the end. Throws `incomplete` when the stream was cut instead. */
  async next(): Promise<Put | undefined> {
    const message = await this.#receive();
    if (message !== undefined) {
      this.#isLastEmpty = message.body.length === 0;
      return message;
    }
    // A reset ends the iteration like a half-close does, without an error; what tells them apart may come a turn later.
    await nextTurn();
    if (this.#wire.cancelled || (this.#endsExplicitly && !this.#isLastEmpty))
      throw new PluginError("the host broke the put off; nothing was stored", { kind: "incomplete" });
    this.#hasEnded = true;
    return undefined;
  }

  /** The bytes, beginning with those of a message that was already taken. */
  async *chunks(first: Put): AsyncGenerator<Uint8Array, void> {
    for (let message: Put | undefined = first; message !== undefined; message = await this.next())
      if (message.body.length > 0) yield message.body;
  }

  /** Reads to the end and drops it. The host learns a failure's reason only once it has sent all: before, it sees EOF. */
  async drain(): Promise<void> {
    try {
      while (!this.#wire.cancelled && (await this.#receive()) !== undefined);
    } catch {
      // The stream broke off meanwhile: nobody is left to tell, and the failure before it is the one that matters.
    }
  }

  async #receive(): Promise<Put | undefined> {
    try {
      const result = await this.#messages.next();
      return result.done === true ? undefined : result.value;
    } catch (error) {
      this.#signal.throwIfAborted();
      throw new PluginError("the stream of the put broke off; nothing was stored", {
        kind: "incomplete",
        cause: error,
      });
    }
  }
}
