import type { Call, Clock } from "@flotilla/sdk/plugin";
import { awaitState, withinTime } from "@flotilla/sdk/volumes";
import type { AwaitStateOptions, Observed } from "@flotilla/sdk/volumes";
import type { Operation } from "./managed-disk-api.ts";

/** How long, and in tests on which clock. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

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
  return await withinTime({ ...options, what }, call, async (call) => {
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
  await withinTime({ ...options, what }, call, async (call) => await awaitState(state, call));
}
