import { backoffMs, isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Backoff, Call, Clock } from "@flotilla/sdk/plugin";
import { awaitState } from "@flotilla/sdk/volumes";
import type { AwaitStateOptions, Observed } from "@flotilla/sdk/volumes";
import type { Operation } from "./managed-disk-api.ts";

/** How long, and in tests on which clock. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

// A request at the end of the time may still be answered: it tells whether the resource came into being.
const graceMs = 5000;
const busyBackoff: Backoff = { baseMs: 1000, maxMs: 5000 };

/**
 * Runs the first request of an operation and waits for its end, both within the time. What the operation itself failed
 * of is thrown; so is a `timeout`, with the last progress.
 */
export async function completeOperation(
  what: string,
  start: (call: Call) => Promise<Operation>,
  options: WaitOptions,
  call: Call,
): Promise<Operation> {
  const { clock, random, timeoutMs } = options;
  const beganMs = clock.now();
  return await guarded(what, options, call, async (call) => {
    const operation = await start(call);
    const end = await awaitState(
      {
        what,
        observe: async (call) => await operation.look(call),
        timeoutMs: Math.max(0, timeoutMs - (clock.now() - beganMs)),
        clock,
        random,
      },
      call,
    );
    if (end !== "succeeded") throw end;
    return operation;
  });
}

/** Waits until a background copy has all its bytes: `read` answers how many percent are there, undefined for no copy. */
export async function awaitCopy(
  what: string,
  read: (call: Call) => Promise<number | undefined>,
  options: WaitOptions,
  call: Call,
): Promise<void> {
  const observe = async (call: Call): Promise<Observed<void>> => {
    const percent = await read(call);
    if (percent === undefined || percent >= 100) return { done: true, value: undefined };
    return { done: false, progress: `completionPercent ${percent}` };
  };
  const state: AwaitStateOptions<void> = { ...options, what, observe };
  await guarded(what, options, call, async (call) => await awaitState(state, call));
}

/**
 * Repeats what the state of the resource forbids for the moment: a deletion while the creation goes on, a snapshot while
 * the disk is attached. The refusal itself is thrown when the tries are used up or the call is aborted.
 */
export async function whileBusy<T>(
  work: () => Promise<T>,
  { clock, random, maxTries }: Pick<WaitOptions, "clock" | "random"> & { readonly maxTries: number },
  call: Call,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isKind(error, "conflict") || tries >= maxTries) throw error;
      try {
        await clock.sleep(backoffMs(tries, busyBackoff, random), call.signal);
      } catch {
        throw error;
      }
    }
  }
}

/** Runs work with a call that is aborted some time after its end was due: a hanging request must not outlast it. */
async function guarded<T>(
  what: string,
  { timeoutMs, clock }: WaitOptions,
  call: Call,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const overdue = new AbortController();
  const timer = clock.timer(timeoutMs + graceMs, () => {
    const text = `waiting for ${what}: no answer within ${Math.round(timeoutMs / 1000)} s; check the endpoint and the network`;
    overdue.abort(new PluginError(text, { kind: "timeout" }));
  });
  try {
    return await work({ log: call.log, signal: AbortSignal.any([call.signal, overdue.signal]) });
  } finally {
    timer.cancel();
  }
}
