import { ObjectStoreClient } from "./object-store-client.ts";
import type { PluginKind } from "./plugin-name.ts";
import type { ProcessSettings } from "./plugin-process.ts";
import type { Registry } from "./registry.ts";
import { RestartablePlugin } from "./restartable-plugin.ts";
import { VolumeSnapshotterClient } from "./volume-snapshotter-client.ts";

/**
 * Hands out implementations of registered executables. One process per executable, started by the first call and
 * shared by all its kinds and names; closed together. The server makes one of these for each of its actions.
 */
export class Manager {
  readonly #registry: Registry;
  readonly #settings: ProcessSettings;
  readonly #plugins = new Map<string, RestartablePlugin>();

  constructor(registry: Registry, settings: ProcessSettings) {
    this.#registry = registry;
    this.#settings = settings;
  }

  /** An object store of this provider; to be initialised with a location's configuration. */
  getObjectStore(name: string): ObjectStoreClient {
    const { plugin, fullName } = this.#locate("ObjectStore", name);
    return new ObjectStoreClient(fullName, plugin);
  }

  /** A volume snapshotter of this provider; to be initialised with a location's configuration. */
  getVolumeSnapshotter(name: string): VolumeSnapshotterClient {
    const { plugin, fullName } = this.#locate("VolumeSnapshotter", name);
    return new VolumeSnapshotterClient(fullName, plugin);
  }

  /** The ids of the processes that run now. */
  get pids(): readonly number[] {
    return [...this.#plugins.values()].flatMap((plugin) => plugin.pid ?? []);
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    await Promise.all([...this.#plugins.values()].map((plugin) => plugin.close()));
  }

  #locate(kind: PluginKind, name: string): { readonly plugin: RestartablePlugin; readonly fullName: string } {
    const identifier = this.#registry.get(kind, name);
    const former = this.#plugins.get(identifier.command);
    const plugin = former ?? new RestartablePlugin(identifier.command, this.#settings);
    this.#plugins.set(identifier.command, plugin);
    return { plugin, fullName: identifier.name };
  }
}
