import { backoffMs, isKind } from "../plugin/index.ts";
import type { Backoff, Call, Clock } from "../plugin/index.ts";

/** How often, and in tests on which clock. */
export interface WhileBusyOptions {
  readonly maxTries: number;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

const busyBackoff: Backoff = { baseMs: 1000, maxMs: 5000 };

/**
 * Repeats what the state of the resource forbids for the moment (`conflict`): a deletion while the creation goes on, a
 * snapshot while the disk is attached. The refusal itself is thrown when the tries are used up or the call is aborted.
 */
export async function whileBusy<T>(
  work: () => Promise<T>,
  { clock, random, maxTries }: WhileBusyOptions,
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
