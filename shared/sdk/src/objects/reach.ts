import { isKind, isTransient, PluginError } from "../plugin/index.ts";
import type { Clock } from "../plugin/index.ts";

/** A place that was found out of reach is not asked first again for so long. */
export const unreachableMs = 30_000;

/** How long one of several places may fail to answer before it counts as out of reach. */
export const patienceMs = 30_000;

/**
 * How long a place may be silent before its copies are asked beside it, and how long one is waited for that was out of
 * reach when it was last asked. Stores begin to answer within a second.
 */
export const quickMs = 5000;

/** What is known of whether a place answers. */
export class Reach {
  readonly #clock: Clock;
  #unreachable: { readonly until: number; readonly error: PluginError } | undefined;
  #silence: { readonly sinceMs: number; readonly untilMs: number; readonly error: PluginError } | undefined;
  #isLost = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Why the place is asked last for now; undefined where it is not. */
  get unreachable(): PluginError | undefined {
    if (this.#unreachable !== undefined && this.#clock.now() >= this.#unreachable.until) this.#unreachable = undefined;
    return this.#unreachable?.error;
  }

  /** Whether the place was found out of reach, and has not answered since. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Why another place answered lately. */
  get reason(): PluginError | undefined {
    return this.unreachable ?? this.#recentSilence?.error;
  }

  /** How long to wait for the next answer. Silence counts from its beginning, over several questions. */
  get patienceMs(): number {
    if (this.#isLost) return quickMs;
    const silence = this.#recentSilence;
    return silence === undefined ? patienceMs : Math.max(quickMs, silence.sinceMs + patienceMs - this.#clock.now());
  }

  /** How long the next question is this place's alone. */
  get aloneMs(): number {
    return this.#isLost || this.#recentSilence !== undefined ? 0 : quickMs;
  }

  /** It answered, whatever it said. */
  answered(): void {
    this.#unreachable = undefined;
    this.#silence = undefined;
    this.#isLost = false;
  }

  /** It is out of reach. */
  failed(error: PluginError): void {
    this.#unreachable = { until: this.#clock.now() + unreachableMs, error };
    this.#isLost = true;
  }

  /** It gets the time of one that was never out of reach: where no other place is left, haste gains nothing. */
  forgive(): void {
    this.#isLost = false;
    this.#silence = undefined;
  }

  /** A question of that time was answered by another place first. It may be slow, or out of reach. */
  fellSilent(askedMs: number, error: PluginError): void {
    const sinceMs = this.#recentSilence?.sinceMs ?? askedMs;
    this.#silence = { sinceMs, untilMs: this.#clock.now() + unreachableMs, error };
  }

  get #recentSilence(): { readonly sinceMs: number; readonly error: PluginError } | undefined {
    if (this.#silence !== undefined && this.#clock.now() >= this.#silence.untilMs) this.#silence = undefined;
    return this.#silence;
  }
}

/**
 * Whether the place as such is out of reach. A wrong configuration is one way for it: a bucket that is gone, a key that
 * was disabled.
 */
export function isUnreachable(error: unknown): error is PluginError {
  return isTransient(error) || isKind(error, "invalid-config");
}

/** Whether a failure shows that the place answers. */
export function isAnswer(error: unknown): boolean {
  return error instanceof PluginError && !isUnreachable(error) && !isKind(error, "internal");
}
