import { setTimeout as delay } from "node:timers/promises";

import { PluginError } from "../plugin/index.ts";
import type { Call, Logger } from "../plugin/index.ts";

/** What the bounds need of a call of the wire: it says when the host cancelled it. */
export interface CancellableCall {
  readonly cancelled: boolean;
  on(event: "cancelled", listener: () => void): unknown;
  off(event: "cancelled", listener: () => void): unknown;
}

/**
 * The total deadline of a unary call. The server sets none and would wait for ever, holding one of its workers. Every
 * request below has a bound of its own; this is for the sum, and far above the slowest list that was seen (400 000
 * prefixes: half a minute).
 */
export const unaryDeadlineMs = 5 * 60_000;

/**
 * The total deadline of a call that may wait for a snapshot or a volume, to come or to go. The location's own bound
 * (`waitTimeout`, `apiTimeout`) is the one to rely on; a first snapshot of the largest disks takes most of a day.
 */
export const waitingDeadlineMs = 24 * 60 * 60_000;

/** Gives each call its signal, bounds it, and knows which calls are under way. */
export class CallBounds {
  readonly #log: Logger;
  readonly #underWay = new Map<AbortController, Promise<unknown>>();
  #abortReason: PluginError | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Runs the work of a streaming call: aborted when the host cancels it or is gone. Progress is the work's own matter. */
  async stream<T>(wire: CancellableCall, work: (call: Call) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const cancel = (): void => {
      controller.abort(new PluginError("the host cancelled the call", { kind: "incomplete" }));
    };
    wire.on("cancelled", cancel);
    if (wire.cancelled) cancel();
    try {
      return await this.#track(controller, work);
    } catch (error) {
      throw abortReason(controller.signal, error);
    } finally {
      wire.off("cancelled", cancel);
    }
  }

  /** Runs the work of a unary call: once aborted or past its deadline it is answered, even where the work goes on. */
  async unary<T>(wire: CancellableCall, deadlineMs: number, work: (call: Call) => Promise<T>): Promise<T> {
    return await this.stream(wire, async (outer) => {
      const controller = new AbortController();
      const abort = (): void => {
        controller.abort(outer.signal.reason);
      };
      outer.signal.addEventListener("abort", abort, { once: true });
      if (outer.signal.aborted) abort();
      const timer = setTimeout(() => {
        const text = `no answer within ${deadlineMs / 1000} s; the call was given up`;
        controller.abort(new PluginError(text, { kind: "timeout" }));
      }, deadlineMs);
      try {
        return await Promise.race([this.#track(controller, work), untilAborted(controller.signal)]);
      } catch (error) {
        throw abortReason(controller.signal, error);
      } finally {
        clearTimeout(timer);
      }
    });
  }

  /** Aborts all calls under way and all later ones, and resolves when they have ended or the time is up. */
  async abortAll(reason: PluginError, patienceMs: number): Promise<void> {
    this.#abortReason = reason;
    const running = [...this.#underWay.values()];
    for (const controller of this.#underWay.keys()) controller.abort(reason);
    if (running.length === 0) return;
    await Promise.race([Promise.allSettled(running), delay(patienceMs)]);
  }

  async #track<T>(controller: AbortController, work: (call: Call) => Promise<T>): Promise<T> {
    if (this.#abortReason !== undefined) controller.abort(this.#abortReason);
    const running = work({ signal: controller.signal, log: this.#log });
    this.#underWay.set(controller, running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(controller);
    }
  }
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    const fail = (): void => {
      reject(PluginError.from(signal.reason));
    };
    signal.addEventListener("abort", fail, { once: true });
    if (signal.aborted) fail();
  });
}

/** Clouds' SDKs throw errors of their own when their signal aborts; the reason for the abort says more. */
function abortReason(signal: AbortSignal, error: unknown): unknown {
  const isAbort = error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");
  return signal.aborted && (isAbort || !(error instanceof PluginError)) ? (signal.reason as unknown) : error;
}
