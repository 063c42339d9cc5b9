import { isKind, PluginError, withRetry } from "../plugin/index.ts";
import { linkAbort } from "./abort-link.ts";
import { allFailed } from "./copy-place.ts";
import { patienceMs } from "./reach.ts";
import type { Call, RetryPolicy } from "../plugin/index.ts";
import type { ObjectPlace, PlaceFailure } from "./copy-place.ts";

/** What is asked of places one after the other. */
export interface Question<T> {
  /** Asks one place, and calls `heard` where its answer begins long before it is complete. */
  ask(place: ObjectPlace, call: Call, heard: () => void): Promise<T>;
  /** Whether this failure is the answer, so that no other place is asked. */
  isFinal(place: ObjectPlace, error: unknown): boolean;
  /** Whether a copy may answer while the location itself is silent, which may be slow only. */
  mayAnswerBeside(copy: ObjectPlace): boolean;
  /** Whether such an answer is one. */
  countsBeside(answer: T): boolean;
  /** Frees an answer that comes too late. */
  discard?(answer: T): void;
  /** Whether the answer is read after it was given, and with the call that asked. */
  readonly isStream?: boolean;
}

/** An answer and who gave it. */
export interface PlaceAnswer<T> {
  readonly place: ObjectPlace;
  readonly answer: T;
  /** Of the places that were asked before. */
  readonly failures: readonly PlaceFailure[];
}

type Found<T> = Omit<PlaceAnswer<T>, "failures">;

/**
 * The first answer of several places: the location itself first, its copies where it fails. While it is silent the
 * copies are asked beside it, so that nobody waits long for a lost region, nor loses what a slow one still answers.
 */
export async function askPlaces<T>(
  places: readonly ObjectPlace[],
  call: Call,
  question: Question<T>,
): Promise<PlaceAnswer<T>> {
  const failures: PlaceFailure[] = [];
  if (places.every(({ reach }) => reach.isLost)) for (const { reach } of places) reach.forgive();
  for (const place of inOrder(places)) {
    try {
      const isFirst = place.mode === undefined && failures.length === 0;
      const beside = isFirst ? places.filter((other) => other !== place && question.mayAnswerBeside(other)) : [];
      return { ...(await askBeside(place, beside, call, question)), failures };
    } catch (error) {
      if (call.signal.aborted || question.isFinal(place, error)) throw error;
      failures.push({ place, error: PluginError.from(error) });
    }
  }
  throw allFailed(failures);
}

/** The places in the order in which they are asked: as given, but those that did not answer lately last. */
function inOrder(places: readonly ObjectPlace[]): readonly ObjectPlace[] {
  const reachable = places.filter(({ reach }) => reach.unreachable === undefined);
  return [...reachable, ...places.filter((place) => !reachable.includes(place))];
}

async function askBeside<T>(
  place: ObjectPlace,
  copies: readonly ObjectPlace[],
  call: Call,
  question: Question<T>,
): Promise<Found<T>> {
  const askedMs = place.clock.now();
  const own = begin(call, question, async (call, heard) => await askOne(place, call, question, heard));
  if (copies.length === 0 || (await hasSign(own, place))) return await own.take();
  const beside = begin(call, question, async (call) => await askCopies(copies, call, question));
  const first = await Promise.race([own.sign, beside.take().catch(() => undefined)]);
  if (first !== undefined && first !== "own") {
    place.reach.fellSilent(askedMs, silenceOf(place, askedMs));
    own.leave();
    return first;
  }
  // What it says itself is what counts, as soon as it says something; and nobody else knows it.
  beside.leave();
  return await own.take();
}

async function askOne<T>(
  place: ObjectPlace,
  call: Call,
  question: Question<T>,
  heard: () => void = () => {},
): Promise<Found<T>> {
  return { place, answer: await place.ask(call, async () => await question.ask(place, call, heard)) };
}

/** What one of the copies has to say that counts; throws where none has. */
async function askCopies<T>(copies: readonly ObjectPlace[], call: Call, question: Question<T>): Promise<Found<T>> {
  for (const copy of copies) {
    if (copy.reach.unreachable !== undefined) continue;
    try {
      const found = await askOne(copy, call, question);
      if (question.countsBeside(found.answer)) return found;
      question.discard?.(found.answer);
    } catch (error) {
      // It is told when the copy's turn comes, should the location itself fail.
      if (call.signal.aborted) throw error;
    }
  }
  throw new PluginError("no copy has an answer that counts", { kind: "incomplete" });
}

/** A question that is on its way. */
interface Asked<T> {
  /** Resolves when the answer begins, or the question has failed. */
  readonly sign: Promise<"own">;
  take(): Promise<Found<T>>;
  /** Ends it; nobody waits for the answer any more. */
  leave(): void;
}

function begin<T>(
  call: Call,
  question: Question<T>,
  ask: (call: Call, heard: () => void) => Promise<Found<T>>,
): Asked<T> {
  const link = linkAbort(call.signal);
  const { promise: sign, resolve } = Promise.withResolvers<"own">();
  const found = ask({ log: call.log, signal: link.signal }, () => resolve("own"));
  found.then(
    () => resolve("own"),
    () => resolve("own"),
  );
  return {
    sign,
    take: async () => {
      const taken = await found;
      if (question.isStream !== true) link.unlink();
      return taken;
    },
    leave: () => {
      link.abort(new PluginError("another place has answered", { kind: "timeout" }));
      link.unlink();
      found.then(
        ({ answer }) => question.discard?.(answer),
        () => undefined,
      );
    },
  };
}

/** Whether the place says something before the copies are to be asked beside it. */
async function hasSign({ sign }: Asked<unknown>, { clock, reach }: ObjectPlace): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<"silent">();
  const { aloneMs } = reach;
  const timer = clock.timer(aloneMs, () => resolve("silent"));
  if (aloneMs === 0) resolve("silent");
  try {
    return (await Promise.race([sign, promise])) === "own";
  } finally {
    timer.cancel();
  }
}

function silenceOf({ name, clock }: ObjectPlace, askedMs: number): PluginError {
  const seconds = Math.round((clock.now() - askedMs) / 1000);
  return new PluginError(`${name}: no answer within ${seconds} s; a copy answered meanwhile`, { kind: "timeout" });
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
