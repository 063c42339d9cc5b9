import { PluginError } from "../plugin/index.ts";
import { linkAbort } from "./abort-link.ts";
import { nameOf } from "./object-name.ts";
import { isAnswer, quickMs } from "./reach.ts";
import type { Call, Clock, ObjectRef } from "../plugin/index.ts";
import type { ObjectPlace } from "./copy-place.ts";

/** How long a place may be out of reach before what it is to do is given up. */
export interface ReachBound {
  /** The object that the place is asked about. */
  readonly object: ObjectRef;
  /** Where it has not answered yet. */
  readonly giveUpMs: number;
  /** Where it has: a time that an outage lasts and a hiccup does not. Undefined: it is not looked at any more. */
  readonly lostMs?: number;
}

/** Between two looks at a place that answers. */
const lookEveryMs = 10_000;

/**
 * Does what may rightly take a place minutes without a word: a copy, a large put. After a while the place is asked small
 * questions beside, and the work is given up where they are not answered either. A place that was found out of reach
 * is asked one before anything else.
 */
export async function whileInReach<T>(
  place: ObjectPlace,
  bound: ReachBound,
  call: Call,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  if (place.reach.isLost) await lookAt(place, bound, call);
  const link = linkAbort(call.signal);
  const done = new AbortController();
  const guard = (async () => {
    const error = await lookAfter(place, bound, { log: call.log, signal: done.signal });
    if (error !== undefined) link.abort(error);
  })();
  try {
    return await work({ log: call.log, signal: link.signal });
  } catch (error) {
    // Whoever was interrupted may have put it into words of its own.
    if (link.signal.aborted && !call.signal.aborted) throw link.signal.reason;
    throw error;
  } finally {
    done.abort();
    link.unlink();
    await guard;
  }
}

/** Resolves with what the place answers instead, once it is out of reach for too long; with nothing when that is over. */
async function lookAfter(place: ObjectPlace, bound: ReachBound, call: Call): Promise<PluginError | undefined> {
  const { clock } = place;
  let sinceMs = clock.now();
  let limitMs = bound.giveUpMs;
  let waitMs = quickMs;
  while (await pause(clock, waitMs, call.signal)) {
    const lookedMs = clock.now();
    try {
      await lookAt(place, bound, call);
      if (bound.lostMs === undefined) return undefined;
      [sinceMs, limitMs, waitMs] = [clock.now(), bound.lostMs, lookEveryMs];
    } catch (error) {
      if (call.signal.aborted) return undefined;
      waitMs = lookedMs + quickMs - clock.now();
      const silentMs = clock.now() - sinceMs;
      // Another look would begin no sooner than at the limit.
      if (silentMs + waitMs >= limitMs) return outOfReach(place, bound, silentMs, PluginError.from(error));
    }
  }
  return undefined;
}

/** Throws where the place does not answer; a refusal is an answer. */
async function lookAt(place: ObjectPlace, { object }: ReachBound, call: Call): Promise<void> {
  try {
    await place.look(object, call);
  } catch (error) {
    if (call.signal.aborted || !isAnswer(error)) throw error;
  }
}

function outOfReach(place: ObjectPlace, { object }: ReachBound, silentMs: number, error: PluginError): PluginError {
  const { kind, code, requestId, message } = error;
  const seconds = Math.round(silentMs / 1000);
  const text = `${nameOf(place.refOf(object))}: given up, since the place is out of reach for ${seconds} s: ${message}`;
  return new PluginError(text, { kind, code, requestId, cause: error });
}

/** Whether the time passed before the signal aborted. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = clock.timer(ms, () => resolve(true));
  const leave = (): void => resolve(false);
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await promise;
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", leave);
  }
}
