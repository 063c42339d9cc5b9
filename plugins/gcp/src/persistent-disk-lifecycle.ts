import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call, Clock, PluginErrorKind } from "@flotilla/sdk/plugin";
import { whileBusy } from "@flotilla/sdk/volumes";
import type { GceSnapshot } from "./gce-resources.ts";
import { nameInWords } from "./persistent-disk-api.ts";
import type { Operation, PersistentDiskApi } from "./persistent-disk-api.ts";
import { printGceId } from "./persistent-disk-ids.ts";
import type { GceId, SnapshotId } from "./persistent-disk-ids.ts";
import { awaitOperation, awaitReady, isReady, watchBriefly } from "./persistent-disk-wait.ts";

/** How long each step may take. */
export interface LifecycleOptions {
  readonly api: PersistentDiskApi;
  /** Whether what was begun is waited for until it is done; otherwise it is only watched for a moment. */
  readonly isWaiting: boolean;
  readonly waitTimeoutMs: number;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

const cleanupTimeoutMs = 30_000;
// A disk that is being attached or resized is free again within seconds.
const busyTries = 4;

// After any other failure of the first request Compute Engine has not taken it.
const uncertainKinds: ReadonlySet<PluginErrorKind> = new Set(["unavailable", "timeout", "incomplete", "internal"]);

/** Creates and deletes disks and snapshots. */
export class PersistentDiskLifecycle {
  readonly #options: LifecycleOptions;
  readonly #api: PersistentDiskApi;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#api = options.api;
  }

  /** Creates a disk or a snapshot and leaves nothing behind where that fails. */
  async create(id: GceId, start: (call: Call) => Promise<Operation>, call: Call): Promise<void> {
    let mayExist = true;
    const startOnce = async (): Promise<Operation | undefined> => {
      try {
        return await start(call);
      } catch (error) {
        // The name is nobody else's: what is there already was made by this request, whose first answer was lost.
        if (isKind(error, "conflict") && (await this.#exists(id, call))) return undefined;
        mayExist = uncertainKinds.has(PluginError.from(error).kind);
        throw error;
      }
    };
    try {
      const operation = await whileBusy(startOnce, { ...this.#options, maxTries: busyTries }, call);
      await this.#follow(id, operation, call);
    } catch (error) {
      const advised = withAdvice(error);
      throw mayExist ? withNote(advised, await this.#remove(id, call)) : advised;
    }
  }

  /** Deletes a disk or a snapshot. An unknown one throws `not-found`. */
  async delete(id: GceId, call: Call): Promise<void> {
    const what = `${nameInWords(id)} to be deleted`;
    const start = async (): Promise<Operation> => await this.#api.delete(id, call);
    const operation = await whileBusy(start, { ...this.#options, maxTries: busyTries }, call);
    try {
      if (this.#options.isWaiting) await awaitOperation(operation, { ...this.#timing(), what }, call);
      else await watchBriefly(operation, { ...this.#options, what }, call);
    } catch (error) {
      throw withAdvice(error);
    }
  }

  /** The snapshot once a disk can be made of it. */
  async usable(snapshot: SnapshotId, call: Call): Promise<GceSnapshot> {
    const found = await this.#api.getSnapshot(snapshot, call);
    if (isReady(snapshot, found)) return found;
    const what = `${nameInWords(snapshot)} to be uploaded`;
    try {
      return await awaitReady(this.#api, snapshot, { ...this.#timing(), what }, call);
    } catch (error) {
      throw withAdvice(error);
    }
  }

  async #follow(id: GceId, operation: Operation | undefined, call: Call): Promise<void> {
    const what = `${nameInWords(id)} to be created`;
    if (!this.#options.isWaiting) {
      if (operation !== undefined) await watchBriefly(operation, { ...this.#options, what }, call);
      return;
    }
    const beganMs = this.#options.clock.now();
    if (operation !== undefined) await awaitOperation(operation, { ...this.#timing(), what }, call);
    // An operation that may not be looked at tells nothing: what it makes does.
    const leftMs = Math.max(0, this.#options.waitTimeoutMs - (this.#options.clock.now() - beganMs));
    await awaitReady(
      this.#api,
      id,
      { ...this.#options, timeoutMs: leftMs, what: `${nameInWords(id)} to be ready` },
      call,
    );
  }

  async #exists(id: GceId, call: Call): Promise<boolean> {
    try {
      await (id.type === "disks" ? this.#api.getDisk(id, call) : this.#api.getSnapshot(id, call));
      return true;
    } catch (error) {
      if (isKind(error, "not-found")) return false;
      throw error;
    }
  }

  /** Removes what a failed creation left, and tells in words what became of it. */
  async #remove(id: GceId, { log }: Call): Promise<string> {
    const word = id.type === "disks" ? "disk" : "snapshot";
    // The call itself may have been aborted or have run out of time.
    const call = { log, signal: AbortSignal.timeout(cleanupTimeoutMs) };
    const what = `${nameInWords(id)} to be deleted`;
    let isAccepted = false;
    const remove = async (): Promise<string> => {
      const operation = await this.#api.delete(id, call);
      isAccepted = true;
      const { clock, random } = this.#options;
      return await awaitOperation(operation, { what, timeoutMs: cleanupTimeoutMs, clock, random }, call);
    };
    try {
      const end = await whileBusy(remove, { ...this.#options, maxTries: Infinity }, call);
      return end === "succeeded" ? `the unfinished ${word} was deleted` : goesOn(word);
    } catch (error) {
      if (isKind(error, "not-found")) return `no ${word} is left`;
      const { message, kind } = PluginError.from(error);
      if (isAccepted && kind === "timeout") return goesOn(word);
      log.info("what failed could not be deleted", { id: printGceId(id), reason: message });
      return `the unfinished ${word} could not be deleted: delete ${printGceId(id)} by hand (${message})`;
    }
  }

  #timing(): Pick<LifecycleOptions, "clock" | "random"> & { readonly timeoutMs: number } {
    const { waitTimeoutMs: timeoutMs, clock, random } = this.#options;
    return { timeoutMs, clock, random };
  }
}

function goesOn(word: "disk" | "snapshot"): string {
  return `Compute Engine goes on deleting the unfinished ${word}`;
}

function withAdvice(thrown: unknown): PluginError {
  const error = PluginError.from(thrown);
  return error.kind === "timeout" ? withNote(error, "raise the location's key waitTimeout") : error;
}

function withNote(error: PluginError, note: string): PluginError {
  const { kind, code, requestId } = error;
  return new PluginError(`${error.message}; ${note}`, { kind, code, requestId, cause: error });
}
