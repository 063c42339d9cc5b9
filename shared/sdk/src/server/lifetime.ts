import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import type { Socket } from "node:net";

import { PluginError } from "../plugin/index.ts";
import type { Logger } from "../plugin/index.ts";
import type { CallBounds } from "./call-bounds.ts";
import type { HostSignals } from "./go-plugin-services.ts";

/** How long uploads may take to abort when the host is gone: each takes one request, and nobody waits for us. */
const farewellMs = 5000;
/** The host kills what has not ended two seconds after Shutdown, and reports that as an error of the backup. */
const shutdownFarewellMs = 1000;
/** How long the answer to Shutdown may take to leave; the host goes on without it. */
const answerMs = 100;
const parentCheckMs = 1000;
/** A held stream and its connection end together, in either order. */
const sameEndMs = 1000;

/** What the end of the process needs. */
export interface LifetimeOptions {
  readonly log: Logger;
  readonly bounds: CallBounds;
  /** Removes the socket. */
  readonly cleanUp: () => void;
}

/**
 * Decides when the process ends: at once after Shutdown, and on its own when the host is gone, which nobody announces.
 * Uploads under way are aborted first, so that nothing is left behind.
 */
export class Lifetime implements HostSignals {
  readonly #options: LifetimeOptions;
  readonly #parentPid = process.ppid;
  readonly #connections = new Set<Socket>();
  #heldStreams = 0;
  #lastReleasedAt = Number.NEGATIVE_INFINITY;
  #isEnding = false;

  constructor(options: LifetimeOptions) {
    this.#options = options;
  }

  /** Watches signals and the parent process. */
  watch(): void {
    process.on("exit", this.#options.cleanUp);
    // ^C in a terminal reaches the whole group; only the host shall act on it.
    process.on("SIGINT", () => {});
    process.once("SIGTERM", () => {
      void this.#end("the process was told to terminate", farewellMs, () => {
        this.#options.cleanUp();
        // No handler is left: the default action makes the exit status tell the signal.
        process.kill(process.pid, "SIGTERM");
      });
    });
    setInterval(() => {
      if (process.ppid !== this.#parentPid) this.#hostGone("its process ended");
    }, parentCheckMs).unref();
  }

  /** Follows a connection of the host. */
  connected(socket: Socket): void {
    this.#connections.add(socket);
    // The wire reports what a broken connection means for each call; unheard, the event would end the process.
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#connections.delete(socket);
      // A host that holds no stream may close an idle connection and dial again later.
      const wasHeld = this.#heldStreams > 0 || performance.now() - this.#lastReleasedAt < sameEndMs;
      if (this.#connections.size === 0 && wasHeld) this.#hostGone("it closed its connection");
    });
  }

  held(released: (listener: () => void) => void): void {
    this.#heldStreams += 1;
    released(() => {
      this.#heldStreams -= 1;
      this.#lastReleasedAt = performance.now();
    });
  }

  shutdown(answered: Promise<void>): void {
    void this.#end("the host shut the plugin down", shutdownFarewellMs, async () => {
      await Promise.race([answered, delay(answerMs)]);
      // The trailers are with the socket's writer, which runs at the end of this turn.
      await nextTurn();
      await nextTurn();
      process.exit(0);
    });
  }

  #hostGone(reason: string): void {
    void this.#end(`the host is gone: ${reason}`, farewellMs, () => {
      process.exit(0);
    });
  }

  async #end(reason: string, patienceMs: number, exit: () => void | Promise<void>): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#options.log.debug("the process ends", { reason });
    await this.#options.bounds.abortAll(new PluginError(reason, { kind: "incomplete" }), patienceMs);
    await exit();
  }
}
