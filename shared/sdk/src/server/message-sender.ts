import type { ServerWritableStream } from "@grpc/grpc-js";

/** One message is on its way while the next is made. More would only fill memory behind a reader that has stopped. */
const maxUnsent = 2;

/** Sends the messages of a streaming answer no faster than the host reads them. */
export class MessageSender<T> {
  readonly #wire: Pick<ServerWritableStream<unknown, T>, "write">;
  readonly #signal: AbortSignal;
  #unsent = 0;
  #onSent: (() => void) | undefined;

  constructor(wire: Pick<ServerWritableStream<unknown, T>, "write">, signal: AbortSignal) {
    this.#wire = wire;
    this.#signal = signal;
    // A cancelled call forgets its writes: their callbacks never come.
    signal.addEventListener("abort", () => this.#onSent?.(), { once: true });
  }

  /**
   * Resolves when there is room for another message. Throws the reason once the call is aborted. `onSent` is told when
   * nothing reads the message any more; never, if it could not be sent.
   */
  async send(message: T, onSent?: () => void): Promise<void> {
    this.#signal.throwIfAborted();
    this.#unsent += 1;
    this.#wire.write(message, () => {
      this.#unsent -= 1;
      onSent?.();
      this.#onSent?.();
    });
    while (this.#unsent >= maxUnsent) {
      await new Promise<void>((resolve) => {
        this.#onSent = resolve;
      });
      this.#signal.throwIfAborted();
    }
  }
}
