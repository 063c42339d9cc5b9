import { PluginError } from "@flotilla/sdk/plugin";
import type { Client } from "@grpc/grpc-js";

import type { RestartablePlugin } from "./restartable-plugin.ts";

/** What the clients of both kinds share: one implementation of one executable, opened once for one location. */
export class LocationClient {
  readonly name: string;
  readonly #plugin: RestartablePlugin;
  #config: Readonly<Record<string, string>> | undefined;

  constructor(name: string, plugin: RestartablePlugin) {
    this.name = name;
    this.#plugin = plugin;
  }

  /** The executable behind it. */
  get command(): string {
    return this.#plugin.command;
  }

  /** The configuration that it was opened with; throws before. */
  get config(): Readonly<Record<string, string>> {
    if (this.#config !== undefined) return this.#config;
    throw new PluginError(`plugin ${this.name} was called before its init`, { kind: "internal" });
  }

  /** Opens the location. A client is opened once, as in the server; another location takes another client. */
  async open(
    config: Readonly<Record<string, string>>,
    initialise: (client: Client) => Promise<unknown>,
  ): Promise<void> {
    if (this.#config !== undefined) {
      throw new PluginError(`plugin ${this.name} is already initialized`, { kind: "internal" });
    }
    this.#config = config;
    try {
      await this.#plugin.initialise(async (client) => void (await initialise(client)));
    } catch (error) {
      this.#config = undefined;
      throw error;
    }
  }

  /** Makes a call to the opened location. */
  async call<T>(work: (client: Client) => Promise<T>): Promise<T> {
    void this.config;
    return await this.#plugin.call(work);
  }

  /** Makes a call that answers a stream. */
  async *stream<T>(work: (client: Client) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    void this.config;
    const process = await this.#plugin.ready();
    try {
      yield* work(process.client);
    } catch (error) {
      throw await this.#plugin.explain(error, process);
    }
  }
}
