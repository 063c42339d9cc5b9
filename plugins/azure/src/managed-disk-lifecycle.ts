import type { Disk, Snapshot } from "@azure/arm-compute";
import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call, Clock, PluginErrorKind } from "@flotilla/sdk/plugin";
import { whileBusy } from "@flotilla/sdk/volumes";
import type { Observed } from "@flotilla/sdk/volumes";
import type { OperationEnd } from "./arm-operation.ts";
import { nameInWords } from "./managed-disk-api.ts";
import type { ManagedDiskApi, Operation } from "./managed-disk-api.ts";
import { printComputeId } from "./managed-disk-ids.ts";
import type { ComputeId } from "./managed-disk-ids.ts";
import { copiedPercent, isUsable } from "./managed-disk-requests.ts";
import { awaitCopy, completeOperation } from "./managed-disk-wait.ts";

/** How long each step may take. */
export interface LifecycleOptions {
  readonly api: ManagedDiskApi;
  /** For one creation or deletion. */
  readonly apiTimeoutMs: number;
  /** Whether background copies are waited for, which Azure goes on with after a creation. */
  readonly isWaiting: boolean;
  readonly waitTimeoutMs: number;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

const cleanupTimeoutMs = 30_000;
// A disk that is being attached or resized is free again within seconds.
const createTries = 4;

// After any other failure of the first request Azure has not taken it.
const uncertainKinds: ReadonlySet<PluginErrorKind> = new Set(["unavailable", "timeout", "incomplete", "internal"]);

/** Creates and deletes disks and snapshots to their end, within the location's time. */
export class ManagedDiskLifecycle {
  readonly #options: LifecycleOptions;
  readonly #api: ManagedDiskApi;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#api = options.api;
  }

  /** Creates a disk or a snapshot and leaves nothing behind where that fails. */
  async create(id: ComputeId, start: (call: Call) => Promise<Operation>, call: Call): Promise<void> {
    const { apiTimeoutMs: timeoutMs, clock, random } = this.#options;
    let mayExist = false;
    let key = "apiTimeout";
    const startOnce = async (call: Call): Promise<Operation> => {
      // Of this try: an earlier one may have been refused.
      mayExist = true;
      try {
        return await start(call);
      } catch (error) {
        // The name is nobody else's: what is there already was made by this request, whose first answer was lost.
        const begun = isKind(error, "conflict") ? await this.#begun(id, call) : undefined;
        if (begun !== undefined) return begun;
        mayExist = uncertainKinds.has(PluginError.from(error).kind);
        throw error;
      }
    };
    const startPatiently = async (call: Call): Promise<Operation> =>
      await whileBusy(async () => await startOnce(call), { clock, random, maxTries: createTries }, call);
    try {
      await completeOperation(`${nameInWords(id)} to be created`, startPatiently, { timeoutMs, clock, random }, call);
      key = "waitTimeout";
      if (this.#options.isWaiting) await this.#awaitCopyOf(id, call);
    } catch (error) {
      const advised = withAdvice(error, key);
      throw mayExist ? withNote(advised, await this.#remove(id, call)) : advised;
    }
  }

  /** Deletes a disk or a snapshot. An unknown one throws `not-found`. */
  async delete(id: ComputeId, call: Call): Promise<void> {
    try {
      await this.#delete(id, this.#options.apiTimeoutMs, call);
    } catch (error) {
      // Azure looks at locks and permissions first, and refuses to delete what is gone already.
      const isRefused = isKind(error, "held") || isKind(error, "denied");
      if (isRefused && (await this.#isGone(id, call)))
        throw new PluginError(`${nameInWords(id)} not found`, { kind: "not-found", cause: error });
      throw withAdvice(error, "apiTimeout");
    }
  }

  /** The snapshot once a disk can be made of it. */
  async usable(snapshot: ComputeId, call: Call): Promise<Snapshot> {
    const { apiTimeoutMs: timeoutMs, clock, random } = this.#options;
    let found = await this.#api.getSnapshot(snapshot, call);
    if (isUsable(found)) return found;
    const read = async (call: Call): Promise<number | undefined> => {
      found = await this.#api.getSnapshot(snapshot, call);
      return isUsable(found) ? undefined : copiedPercent(found);
    };
    try {
      await awaitCopy(`${nameInWords(snapshot)} to be copied`, read, { timeoutMs, clock, random }, call);
    } catch (error) {
      throw withAdvice(error, "apiTimeout");
    }
    return found;
  }

  async #isGone(id: ComputeId, call: Call): Promise<boolean> {
    try {
      await this.#read(id, call);
      return false;
    } catch (error) {
      return isKind(error, "not-found");
    }
  }

  async #read(id: ComputeId, call: Call): Promise<Disk | Snapshot> {
    return id.type === "disks" ? await this.#api.getDisk(id, call) : await this.#api.getSnapshot(id, call);
  }

  /** What goes on with a resource that was begun by a request without an answer; undefined where there is none. */
  async #begun(id: ComputeId, call: Call): Promise<Operation | undefined> {
    const read = async (call: Call): Promise<string | undefined> => (await this.#read(id, call)).provisioningState;
    try {
      await read(call);
    } catch (error) {
      if (isKind(error, "not-found")) return undefined;
      throw error;
    }
    return { status: 202, look: async (call) => observed(await read(call), id) };
  }

  async #awaitCopyOf(id: ComputeId, call: Call): Promise<void> {
    const { waitTimeoutMs: timeoutMs, clock, random } = this.#options;
    const read = async (call: Call): Promise<number | undefined> =>
      id.type === "disks"
        ? (await this.#api.getDisk(id, call)).completionPercent
        : copiedPercent(await this.#api.getSnapshot(id, call));
    await awaitCopy(`${nameInWords(id)} to be copied`, read, { timeoutMs, clock, random }, call);
  }

  async #delete(id: ComputeId, timeoutMs: number, call: Call, onAccepted = (): void => {}): Promise<void> {
    const { clock, random } = this.#options;
    const what = `${nameInWords(id)} to be deleted`;
    const start = async (call: Call): Promise<Operation> => {
      const operation = await this.#api.delete(id, call);
      onAccepted();
      return operation;
    };
    const { status } = await completeOperation(what, start, { timeoutMs, clock, random }, call);
    if (status === 204) throw new PluginError(`${nameInWords(id)} not found (HTTP 204)`, { kind: "not-found" });
  }

  /** Removes what a failed creation left, and tells in words what became of it. */
  async #remove(id: ComputeId, { log }: Call): Promise<string> {
    const word = id.type === "disks" ? "disk" : "snapshot";
    // The call itself may have been aborted or have run out of time.
    const call = { log, signal: AbortSignal.timeout(cleanupTimeoutMs) };
    let isAccepted = false;
    const accept = (): void => void (isAccepted = true);
    try {
      const remove = async (): Promise<void> => await this.#delete(id, cleanupTimeoutMs, call, accept);
      await whileBusy(remove, { ...this.#options, maxTries: Infinity }, call);
      return `the unfinished ${word} was deleted`;
    } catch (error) {
      if (isKind(error, "not-found")) return `no ${word} is left`;
      const { message, kind } = PluginError.from(error);
      if (isAccepted && kind === "timeout") return `Azure goes on deleting the unfinished ${word}`;
      log.info("what failed could not be deleted", { id: printComputeId(id), reason: message });
      return `the unfinished ${word} could not be deleted: delete ${printComputeId(id)} by hand (${message})`;
    }
  }
}

function observed(state: string | undefined, id: ComputeId): Observed<OperationEnd> {
  if (state === "Succeeded") return { done: true, value: "succeeded" };
  if (state !== "Failed" && state !== "Canceled") return { done: false, progress: state ?? "" };
  const text = `create ${nameInWords(id)}: Azure accepted it and failed later (${state})`;
  return { done: true, value: new PluginError(text, { kind: "unavailable", code: state }) };
}

function withAdvice(thrown: unknown, key: string): PluginError {
  const error = PluginError.from(thrown);
  return error.kind === "timeout" ? withNote(error, `raise the location's key ${key}`) : error;
}

function withNote(error: PluginError, note: string): PluginError {
  const { kind, code, requestId } = error;
  return new PluginError(`${error.message}; ${note}`, { kind, code, requestId, cause: error });
}
