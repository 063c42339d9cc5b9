import { PluginError } from "@flotilla/sdk/plugin";
import type { Client } from "@grpc/grpc-js";

import { describeCrash } from "./crash-report.ts";
import { PluginProcess } from "./plugin-process.ts";
import type { ProcessSettings } from "./plugin-process.ts";
import { RemoteStatusError, toPluginError } from "./status-error.ts";

/** Opens a location in a process; replayed in each new process. */
export type Initialisation = (client: Client) => Promise<void>;

const maxFailedResets = 10;
// A crash breaks the connection a moment before the end of the process is known.
const crashGraceMs = 1000;
// The system takes long over the memory of a large process where it lacks memory or time, and nothing but an end, as a
// rule, takes the connection away.
const lostConnectionGraceMs = 15_000;

/**
 * One executable, whatever number of processes it takes: started by the first call, started again before a call that
 * finds it dead, with every location opened again. The call that a crash interrupted is not repeated.
 */
export class RestartablePlugin {
  readonly command: string;
  readonly #settings: ProcessSettings;
  readonly #initialisations: Initialisation[] = [];
  #process: PluginProcess | undefined;
  #starting: Promise<PluginProcess> | undefined;
  #failedResets = 0;
  #isClosed = false;

  constructor(command: string, settings: ProcessSettings) {
    this.command = command;
    this.#settings = settings;
  }

  /** The id of the running process; undefined where none runs. */
  get pid(): number | undefined {
    return this.#process === undefined || this.#process.isGone ? undefined : this.#process.pid;
  }

  /** Runs a location's Init and keeps it for later processes. */
  async initialise(initialisation: Initialisation): Promise<void> {
    await this.call(initialisation);
    this.#initialisations.push(initialisation);
  }

  /** Runs one call against the living process; an error that a crash caused carries the crash's report. */
  async call<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const process = await this.ready();
    try {
      return await work(process.client);
    } catch (error) {
      throw await this.explain(error, process);
    }
  }

  /** A process that lives and knows every location. */
  async ready(): Promise<PluginProcess> {
    if (this.#isClosed) throw new PluginError(`plugin ${this.command} is closed`, { kind: "internal" });
    if (this.#process !== undefined && !this.#process.isGone) return this.#process;
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined));
    return await this.#starting;
  }

  /** The error of a call as a PluginError, with the crash that caused it where there was one. */
  async explain(thrown: unknown, process: PluginProcess): Promise<PluginError> {
    const error = toPluginError(thrown);
    if (error.cause instanceof RemoteStatusError && error.cause.isAnswer) return error;
    const graceMs = process.isConnected ? crashGraceMs : lostConnectionGraceMs;
    const crash = await process.crashWithin(thrown === error ? 0 : graceMs);
    if (crash === undefined) return error;
    this.#settings.onCrash?.(crash);
    return new PluginError(`${describeCrash(crash)}; the call was not repeated: ${error.message}`, {
      kind: "unavailable",
      cause: error,
    });
  }

  /** Ends the process; no call follows. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const starting = this.#starting?.catch(() => undefined);
    const process = (await starting) ?? this.#process;
    await process?.close();
  }

  async #start(): Promise<PluginProcess> {
    const isReset = this.#process !== undefined;
    if (this.#failedResets > maxFailedResets) {
      throw new PluginError(
        `unable to restart plugin process ${this.command}: exceeded maximum number of reset failures (${maxFailedResets})`,
        { kind: "unavailable" },
      );
    }
    try {
      const process = await this.#startAndReplay();
      this.#process = process;
      this.#failedResets = 0;
      return process;
    } catch (error) {
      if (isReset) this.#failedResets += 1;
      throw error;
    }
  }

  async #startAndReplay(): Promise<PluginProcess> {
    const process = await PluginProcess.start(this.command, this.#settings);
    try {
      for (const initialisation of this.#initialisations) await initialisation(process.client);
      return process;
    } catch (error) {
      const explained = await this.explain(error, process);
      await process.close();
      throw explained;
    }
  }
}
