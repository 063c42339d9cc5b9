import { PluginError } from "../plugin/index.ts";
import type { Clock } from "../plugin/index.ts";
import type { CopyStatus } from "./copy-plan.ts";

/** For so long a target that did not answer is not asked again. */
const silentMs = 30_000;
/** A target that has never answered is waited for so long: an outage lasts longer, a hiccup does not. */
const neverHeardMs = 60_000;
/** One that has, and may have the half of a copy by now. */
const lostMs = 300_000;

interface Silence {
  readonly sinceMs: number;
  /** Not asked until then. */
  readonly untilMs: number;
  readonly error: PluginError;
  /** Whether it was found to be out of reach. */
  readonly isLost: boolean;
}

/** What is known of targets that do not answer. A process meets the snapshots of all volumes of a backup one by one. */
export class TargetSilence {
  readonly #clock: Clock;
  readonly #silent = new Map<string, Silence>();
  readonly #heard = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws where the target did not answer lately. */
  refuse(region: string): void {
    const silence = this.#silent.get(region);
    if (silence !== undefined && this.#clock.now() < silence.untilMs) throw silence.error;
  }

  /** Whether a target was found out of reach and has not answered since. */
  get isAnyLost(): boolean {
    return [...this.#silent.values()].some(({ isLost }) => isLost);
  }

  /** It answered. */
  heard(region: string): void {
    this.#heard.add(region);
    this.#silent.delete(region);
  }

  /** It did not answer, and is not to be asked for a while. */
  lost(region: string, error: PluginError): void {
    const now = this.#clock.now();
    this.#silent.set(region, { sinceMs: now, untilMs: now + silentMs, error, isLost: true });
  }

  /** Throws once a copy need not be waited for any more, since its target is out of reach. */
  look({ region, origin: { snapshotId }, noAnswer }: CopyStatus, askedMs: number): void {
    if (noAnswer === undefined) {
      this.heard(region);
      return;
    }
    const now = this.#clock.now();
    const { sinceMs = askedMs, isLost = false } = this.#silent.get(region) ?? {};
    const limitMs = this.#heard.has(region) ? lostMs : neverHeardMs;
    if (!isLost && now - sinceMs < limitMs) {
      this.#silent.set(region, { sinceMs, untilMs: now, error: noAnswer, isLost });
      return;
    }
    const error = outOfReach(region, snapshotId, noAnswer);
    this.lost(region, error);
    throw error;
  }
}

function outOfReach(region: string, snapshotId: string, { message, code, requestId }: PluginError): PluginError {
  const why = `copy snapshot "${snapshotId}" to ${region}: it does not answer (${message})`;
  const so = "the snapshot was good and is deleted again, since the location waits for copies (key wait)";
  const remedy = `until ${region} is back, take it out of the location's targets, or leave out its key wait and copy later by \`flotilla volume copy --all\``;
  return new PluginError(`${why}; ${so}; ${remedy}`, { kind: "incomplete", code, requestId });
}
