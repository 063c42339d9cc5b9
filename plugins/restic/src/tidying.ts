import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, Logger } from "@flotilla/sdk/plugin";
import { forgetVersions } from "./object-removal.ts";
import type { Repository } from "./repository.ts";
import type { RepositoryView } from "./repository-view.ts";
import { forgetSnapshots } from "./snapshot-removal.ts";

/** A reader that looked the former version up just before may still want to open it. */
const supersededAfterMs = 10 * 60_000;

/**
 * Data gets its record right after its upload; but a snapshot's time is the beginning of that, and nothing tells how
 * long it took. No upload lasts this long.
 */
const looseAfterMs = 72 * 3_600_000;

type TidiedRepository = Pick<Repository, "run" | "gate">;
type TidiedView = Pick<RepositoryView, "complete" | "removed" | "forgotten">;

/** Forgets what nobody sees any more, once in the life of a process, in the background, and only if nobody is in the way. */
export class Tidying {
  readonly #repository: TidiedRepository;
  readonly #view: TidiedView;
  readonly #stop = new AbortController();
  #work: Promise<void> | undefined;

  constructor(repository: TidiedRepository, view: TidiedView) {
    this.#repository = repository;
    this.#view = view;
  }

  /** Begins, unless it has been done. Never throws. */
  begin(log: Logger): void {
    this.#work ??= this.#tidy({ log, signal: this.#stop.signal });
  }

  /** Resolves when it is done; at once where it has not begun. */
  async ended(): Promise<void> {
    await this.#work;
  }

  /** Ends it, where it is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #tidy(call: Call): Promise<void> {
    try {
      // Whole: beside a snapshot that cannot be read, a record looks as if it had lost its data.
      const index = await this.#view.complete(call);
      const now = Date.now();
      const superseded = [
        ...index
          .superseded()
          .filter(({ sinceMs }) => now - sinceMs > supersededAfterMs)
          .map(({ version }) => version),
        ...index.orphans().filter(({ order }) => now - order > looseAfterMs),
      ];
      const loose = index.looseData().filter(({ startedMs }) => now - startedMs > looseAfterMs);
      if (superseded.length + loose.length === 0 || !this.#repository.gate.isFree) return;
      await forgetVersions(this.#repository, this.#view, superseded, call);
      const ids = loose.map(({ id }) => id);
      await forgetSnapshots(this.#repository, ids, "remove uploads that never became objects", call);
      this.#view.forgotten(ids);
      call.log.info("removed what nobody sees any more", { versions: superseded.length, uploads: loose.length });
    } catch (error) {
      if (!this.#stop.signal.aborted)
        call.log.debug("tidying is left to a later process", { reason: PluginError.from(error).message });
    }
  }
}
