import { isKind, PluginError, withRetry } from "../plugin/index.ts";
import { allFailed, isUnreachable, patienceMs } from "./copy-place.ts";
import type { Call, RetryPolicy } from "../plugin/index.ts";
import type { ObjectPlace, PlaceFailure } from "./copy-place.ts";

/** An answer and who gave it. */
export interface PlaceAnswer<T> {
  readonly place: ObjectPlace;
  readonly answer: T;
}

/** The places in the order in which they are asked: as given, but those that did not answer lately last. */
export function inOrder(places: readonly ObjectPlace[]): readonly ObjectPlace[] {
  const reachable = places.filter((place) => place.unreachable === undefined);
  return [...reachable, ...places.filter((place) => !reachable.includes(place))];
}

/**
 * The first answer of several places. The location itself is believed whatever it answers, a refusal included: only when
 * it is out of reach does the answer of a copy count.
 */
export async function firstAnswer<T>(
  places: readonly ObjectPlace[],
  call: Call,
  ask: (place: ObjectPlace) => Promise<T>,
): Promise<PlaceAnswer<T>> {
  const failures: PlaceFailure[] = [];
  for (const place of inOrder(places)) {
    try {
      return { place, answer: await place.ask(call, async () => await ask(place)) };
    } catch (error) {
      const isOwn = place.mode === undefined;
      if (call.signal.aborted || (isOwn && !isUnreachable(error))) throw error;
      failures.push({ place, error: PluginError.from(error) });
    }
  }
  throw allFailed(failures);
}

/** Tries again what a place refused at once, but not what it left unanswered so long that the next one is to be asked. */
export async function retryRefusals<T>(
  retry: RetryPolicy,
  call: Call,
  what: string,
  ask: () => Promise<T>,
): Promise<T> {
  const began = retry.clock.now();
  const outcome = await withRetry(retry, call, what, async () => {
    try {
      return { isAnswer: true, answer: await ask() } as const;
    } catch (error) {
      if (!isKind(error, "timeout") && retry.clock.now() - began < patienceMs) throw error;
      return { isAnswer: false, error } as const;
    }
  });
  if (!outcome.isAnswer) throw outcome.error;
  return outcome.answer;
}
