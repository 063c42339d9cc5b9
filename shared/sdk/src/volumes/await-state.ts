import { backoffMs, PluginError, systemClock } from "../plugin/index.ts";
import type { Backoff, Call, Clock } from "../plugin/index.ts";

/** What one look at the cloud found. */
export type Observed<T> =
  | { readonly done: true; readonly value: T }
  | {
      readonly done: false;
      /** How far it is, for the log: `pending, 40 %`. */
      readonly progress: string;
      /** The pause that the cloud asked for; looking again sooner would be throttled. */
      readonly retryAfterMs?: number | undefined;
    };

/** What to wait for, and how. */
export interface AwaitStateOptions<T> {
  /** Completes "waiting for …": `snapshot snap-1 to complete`. */
  readonly what: string;
  /** Looks once. Throws when the state can no longer be reached; transient faults may be thrown too, and are outlasted. */
  readonly observe: (call: Call) => Promise<Observed<T>>;
  readonly timeoutMs: number;
  /** Between looks; from one to fifteen seconds unless told. */
  readonly backoff?: Backoff;
  readonly clock?: Clock;
  /** Between 0 and 1. */
  readonly random?: () => number;
}

/** Quick for volumes, which take seconds; slow enough for snapshots, which take minutes, not to be throttled. */
const defaultBackoff: Backoff = { baseMs: 1000, maxMs: 15_000 };

/**
 * Looks again and again until the state is reached. Throws `timeout` with the last progress when the time is over, the
 * signal's reason when it aborts, and what `observe` throws unless that may pass (`unavailable`, `timeout`).
 */
export async function awaitState<T>(options: AwaitStateOptions<T>, call: Call): Promise<T> {
  const { what, observe, timeoutMs, backoff = defaultBackoff, clock = systemClock, random = Math.random } = options;
  const deadlineMs = clock.now() + timeoutMs;
  for (let looks = 1; ; looks += 1) {
    call.signal.throwIfAborted();
    const seen = await observeOnce(observe, call);
    if (seen.done) return seen.value;
    call.log.debug(`waiting for ${what}`, { progress: seen.progress, attempt: looks });
    const leftMs = deadlineMs - clock.now();
    if (leftMs <= 0) throw overdue(options, seen.progress);
    // One last look at the very end: a long pause must not hide that the state was reached in time.
    const pauseMs = Math.max(seen.retryAfterMs ?? 0, backoffMs(looks, backoff, random));
    await clock.sleep(Math.min(leftMs, pauseMs), call.signal);
  }
}

async function observeOnce<T>(observe: (call: Call) => Promise<Observed<T>>, call: Call): Promise<Observed<T>> {
  try {
    return await observe(call);
  } catch (error) {
    const mayPass = error instanceof PluginError && (error.kind === "unavailable" || error.kind === "timeout");
    if (!mayPass || call.signal.aborted) throw error;
    return { done: false, progress: error.message };
  }
}

function overdue<T>({ what, timeoutMs }: AwaitStateOptions<T>, progress: string): PluginError {
  return new PluginError(
    `waiting for ${what}: not reached within ${Math.round(timeoutMs / 1000)} s (last seen: ${progress})`,
    { kind: "timeout" },
  );
}
