import { PluginError } from "../plugin/index.ts";
import type { Logger } from "../plugin/index.ts";
import { thrownText } from "./thrown-text.ts";

/** What a location opens to; closing is optional. */
interface Closable {
  close?(): Promise<void>;
}

/** One opened configuration of an implementation. */
export class OpenedLocation<T extends Closable, K> {
  readonly key: K;
  /** For questions that take no time; a call of its own goes through `use`. */
  readonly opened: T;
  readonly #log: Logger;
  #callsUnderWay = 0;
  #isReplaced = false;

  constructor(key: K, opened: T, log: Logger) {
    this.key = key;
    this.opened = opened;
    this.#log = log;
  }

  /** Runs a call and keeps the location open meanwhile. */
  async use<R>(work: (opened: T) => Promise<R>): Promise<R> {
    this.#callsUnderWay += 1;
    try {
      return await work(this.opened);
    } finally {
      this.#callsUnderWay -= 1;
      this.#closeIfIdle();
    }
  }

  /** Another one has taken this one's place: close it once its last call has ended. */
  replace(): void {
    this.#isReplaced = true;
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (!this.#isReplaced || this.#callsUnderWay > 0) return;
    this.opened.close?.().catch((error: unknown) => {
      this.#log.debug("closing a replaced location failed", { error: thrownText(error) });
    });
  }
}

/**
 * All opened configurations of each implementation name. Requests carry the name only, and the server opens several
 * locations of one name in one process, so the last one must not overwrite the others.
 */
export class OpenedLocations<T extends Closable, K> {
  readonly #kind: string;
  readonly #log: Logger;
  readonly #isSame: (a: K, b: K) => boolean;
  /** By name; the newest first. */
  readonly #locations = new Map<string, readonly OpenedLocation<T, K>[]>();

  constructor(kind: string, log: Logger, isSame: (a: K, b: K) => boolean) {
    this.#kind = kind;
    this.#log = log;
    this.#isSame = isSame;
  }

  /** Adds a location as the newest, in the place of an earlier one with the same key. */
  add(name: string, key: K, opened: T): void {
    const earlier = this.#locations.get(name) ?? [];
    const kept = earlier.filter((location) => !this.#isSame(location.key, key));
    this.#locations.set(name, [new OpenedLocation(key, opened, this.#log), ...kept]);
    for (const location of earlier) if (!kept.includes(location)) location.replace();
  }

  /** The locations of a name, the newest first; at least one. */
  of(name: string): readonly [OpenedLocation<T, K>, ...OpenedLocation<T, K>[]] {
    const [newest, ...others] = this.#locations.get(name) ?? [];
    if (newest !== undefined) return [newest, ...others];
    throw new PluginError(
      `${this.#kind} ${name}: no location was opened; Init must be called before any other method`,
      {
        kind: "invalid-argument",
      },
    );
  }
}
