import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PluginError, within } from "@flotilla/sdk/plugin";
import type { Call, Clock } from "@flotilla/sdk/plugin";
import { ObjectIndex } from "./object-index.ts";
import type { ObjectVersion } from "./object-index.ts";
import type { ObjectRecord } from "./object-tags.ts";
import { isNeverMade } from "./repository-absence.ts";
import type { Repository } from "./repository.ts";
import { parseSnapshotList } from "./snapshot-list.ts";

/** How long other processes' changes may stay unseen where the repository is not a folder of this machine. */
const staleAfterMs = 10_000;

/** A snapshot may vanish between restic's listing and its reading it; one that is damaged stays. */
const listTries = 3;

/** The answer of a repository that nobody has made yet. */
const nothing = { output: "[]", lines: [] } as const;

/** Before the calls that wait for it are given up themselves, which could not say what restic said. */
const listLimitMs = 4 * 60_000;

interface Loaded {
  readonly index: ObjectIndex;
  /** When its listing began. */
  readonly startedAt: number;
  /** The files of the snapshots, as far as they are known. */
  readonly ids: Set<string>;
  /** Snapshots that restic could not read. */
  readonly unreadable: readonly string[];
}

type Change = { readonly at: number; readonly made?: ObjectVersion; readonly removed?: ObjectRecord };

/**
 * What this process knows of the objects in the repository. One listing serves all calls until something changes: its
 * own changes are entered, and those of others are looked for, in the folder of a local repository at each call, by a
 * new listing after ten seconds elsewhere.
 */
export class RepositoryView {
  readonly #repository: Repository;
  readonly #clock: Clock;
  #loaded: Loaded | undefined;
  #loading: { readonly startedAt: number; readonly done: Promise<Loaded> } | undefined;
  /** The listing that begins next. */
  #queued: Promise<Loaded> | undefined;
  /** Own changes since the listing that is under way, or the last one, began. */
  #changes: Change[] = [];

  constructor(repository: Repository, clock: Clock) {
    this.#repository = repository;
    this.#clock = clock;
  }

  /** The index, not older than {@link staleAfterMs}. */
  async recent(call: Call): Promise<ObjectIndex> {
    const loaded = this.#loaded;
    if (loaded !== undefined && (await this.#isCurrent(loaded))) return loaded.index;
    const isLocal = this.#repository.location.folder !== undefined;
    return (await this.#load(call, this.#clock.now() - (isLocal ? 0 : staleAfterMs))).index;
  }

  /** The index as of now, for who is about to say that something is absent. Throws where that cannot be known. */
  async complete(call: Call): Promise<ObjectIndex> {
    const now = this.#clock.now();
    const known = this.#loaded;
    const isExact = this.#repository.location.folder !== undefined && known !== undefined;
    const loaded = isExact && (await this.#isCurrent(known)) ? known : await this.#load(call, now);
    if (loaded.unreadable.length > 0) throw this.#unreadable(loaded.unreadable);
    return loaded.index;
  }

  /** The index for a listing: recent, and whole. */
  async listing(call: Call): Promise<ObjectIndex> {
    const index = await this.recent(call);
    const unreadable = this.#loaded?.unreadable ?? [];
    if (unreadable.length > 0) throw this.#unreadable(unreadable);
    return index;
  }

  /** The highest order that is known, without asking anybody. */
  get lastOrder(): number {
    return this.#loaded?.index.lastOrder ?? 0;
  }

  /** Enters a version that this process made. */
  made(version: ObjectVersion): void {
    this.#changes.push({ at: this.#clock.now(), made: version });
    this.#loaded?.index.add(version);
    for (const id of [version.recordId, version.dataId]) if (id !== undefined) this.#loaded?.ids.add(id);
  }

  /** Enters that a version was removed by this process. */
  removed(version: ObjectVersion): void {
    this.#changes.push({ at: this.#clock.now(), removed: version });
    this.#loaded?.index.remove(version);
    this.forgotten([version.recordId, ...(version.dataId === undefined ? [] : [version.dataId])]);
  }

  /** Enters that snapshots were removed which showed nothing. */
  forgotten(ids: readonly string[]): void {
    for (const id of ids) this.#loaded?.ids.delete(id);
  }

  async #isCurrent({ startedAt, ids, unreadable }: Loaded): Promise<boolean> {
    const { folder } = this.#repository.location;
    if (unreadable.length > 0) return false;
    if (folder === undefined) return this.#clock.now() - startedAt < staleAfterMs;
    const files = await readdir(join(folder, "snapshots")).catch(() => undefined);
    // Others are what a killed restic, or NFS, left behind.
    const names = files?.filter((name) => /^[0-9a-f]{64}$/.test(name));
    return names !== undefined && names.length === ids.size && names.every((name) => hasId(ids, name));
  }

  /** Loads the index anew, together with all who ask for one that is not older: one listing runs, one may wait. */
  async #load(call: Call, notBefore: number): Promise<Loaded> {
    const running = this.#loading;
    if (running !== undefined && running.startedAt >= notBefore) return await within(running.done, call.signal);
    this.#queued ??= this.#startAfter(running?.done, call);
    return await within(this.#queued, call.signal);
  }

  async #startAfter(running: Promise<Loaded> | undefined, { log }: Call): Promise<Loaded> {
    await running?.catch(() => undefined);
    this.#queued = undefined;
    const startedAt = this.#clock.now();
    // Not with the caller's signal: others wait for the same.
    const done = this.#list({ log, signal: AbortSignal.timeout(listLimitMs) }, startedAt);
    const loading = { startedAt, done };
    this.#loading = loading;
    try {
      return await done;
    } finally {
      if (this.#loading === loading) this.#loading = undefined;
    }
  }

  async #list(call: Call, startedAt: number): Promise<Loaded> {
    const request = { action: "list the snapshots", args: ["snapshots", "--json"], lock: "none" } as const;
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#repository.run(request, call).catch((error: unknown) => {
        if (isNeverMade(error)) return undefined;
        throw error;
      });
      const { output, lines } = answer === undefined ? nothing : { ...answer, lines: answer.end.lines };
      const unreadable = unreadableIds(lines);
      if (unreadable.length > 0 && tries < listTries) continue;
      const snapshots = parseSnapshotList(output);
      const index = new ObjectIndex(snapshots);
      const ids = new Set(snapshots.map(({ id }) => id));
      return this.#enter({ index, ids, startedAt, unreadable });
    }
  }

  #enter(loaded: Loaded): Loaded {
    // A slower listing that began earlier knows less.
    if (this.#loaded !== undefined && this.#loaded.startedAt > loaded.startedAt) return this.#loaded;
    this.#changes = this.#changes.filter(({ at }) => at >= loaded.startedAt);
    this.#loaded = loaded;
    for (const { made, removed } of this.#changes) {
      if (made !== undefined) {
        loaded.index.add(made);
        for (const id of [made.recordId, made.dataId])
          if (id !== undefined && !hasId(loaded.ids, id)) loaded.ids.add(id);
      }
      if (removed !== undefined) loaded.index.remove(removed);
    }
    return loaded;
  }

  #unreadable(ids: readonly string[]): PluginError {
    return new PluginError(
      `list the objects in repository ${this.#repository.location.shown}: ${ids.length} snapshot files cannot be read (${ids.slice(0, 3).join(", ")}), so that it is unknown which objects there are; run restic check, and remove a damaged one by restic forget`,
      { kind: "corrupt" },
    );
  }
}

/** Whether a snapshot's file is known, maybe by the beginning of its id: versions before 0.15 tell no more of new ones. */
function hasId(ids: ReadonlySet<string>, name: string): boolean {
  return ids.has(name) || ids.has(name.slice(0, 8));
}

function unreadableIds(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => /(?:Ignoring|could not load snapshot)\s+"?([0-9a-f]{8,64})/.exec(line)?.[1] ?? []);
}
