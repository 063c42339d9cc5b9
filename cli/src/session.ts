import type { Manager, ObjectStoreClient, PluginLogLine, VolumeSnapshotterClient } from "@flotilla/host";
import { PluginError } from "@flotilla/sdk/plugin";

import { UsageError } from "./cli-error.ts";
import type { CliContext } from "./context.ts";
import { resolveObjectLocation, resolveVolumeLocation } from "./location.ts";
import type { LocationFlags, ObjectLocation, VolumeLocation } from "./location.ts";
import { Progress } from "./output/progress.ts";
import { printable } from "./output/table.ts";
import { loadPlugins } from "./plugins.ts";
import type { PluginFlags, Plugins } from "./plugins.ts";

/** The flags that say which executables are run and what is printed. */
export interface RunFlags extends PluginFlags {
  readonly output: "json" | "table";
  readonly logLevel: LogThreshold;
  readonly quiet: boolean;
}

/** The flags that every command on a location has. */
export interface CommonFlags extends LocationFlags, RunFlags {}

/** The lowest level of the plugins' log lines that is shown. */
export type LogThreshold = "debug" | "info" | "warn" | "error";

/** The levels in their order. */
export const logThresholds: readonly LogThreshold[] = ["debug", "info", "warn", "error"];

/** An opened BackupStorageLocation. */
export interface OpenedStore {
  readonly location: ObjectLocation;
  readonly client: ObjectStoreClient;
}

/** An opened VolumeSnapshotLocation. */
export interface OpenedVolumes {
  readonly location: VolumeLocation;
  readonly client: VolumeSnapshotterClient;
}

/** The plugins of one command run: opened on demand, closed together. */
export class Session implements AsyncDisposable {
  readonly context: CliContext;
  readonly progress: Progress;
  readonly violations: string[] = [];
  /** All log lines of the plugins from info on, for a backup's own log. */
  readonly pluginLines: PluginLogLine[] = [];
  readonly #flags: CommonFlags;
  readonly #managersApart: Manager[] = [];
  #plugins: Promise<Plugins> | undefined;

  constructor(context: CliContext, flags: CommonFlags) {
    this.context = context;
    this.#flags = flags;
    this.progress = new Progress(context, { isQuiet: flags.quiet });
  }

  /** The executables, started for discovery once. */
  async plugins(): Promise<Plugins> {
    // Info at least: a backup's log is uploaded with it, whatever is shown here.
    const logLevel = this.#flags.logLevel === "debug" ? "debug" : "info";
    const listeners = {
      onLog: (line: PluginLogLine) => this.#hear(line),
      onViolation: (violation: string) => void this.violations.push(violation),
      logLevel,
    };
    this.#plugins ??= loadPlugins(this.context, this.#flags, listeners);
    return await this.#plugins;
  }

  /** Opens the BackupStorageLocation of the flags. */
  async openStore(): Promise<OpenedStore> {
    const location = await resolveObjectLocation(this.#flags);
    const client = (await this.plugins()).manager.getObjectStore(location.provider);
    await client.init(location.config);
    return { location, client };
  }

  /** The same for a command that writes. */
  async openWritableStore(): Promise<OpenedStore> {
    const location = await resolveObjectLocation(this.#flags);
    if (!location.isReadOnly) return await this.openStore();
    throw new UsageError(`the location ${location.name} is ReadOnly: set spec.accessMode to ReadWrite to change it`);
  }

  /**
   * Opens a location in a process of its own. Calls carry a plugin's name and a bucket only: two locations of one cloud
   * with the same bucket and prefix, in two accounts say, are told apart by nothing else.
   */
  async openStoreApart(location: ObjectLocation): Promise<OpenedStore> {
    const manager = (await this.plugins()).newManager();
    this.#managersApart.push(manager);
    const client = manager.getObjectStore(location.provider);
    await client.init(location.config);
    return { location, client };
  }

  /** Opens the VolumeSnapshotLocation of the flags; undefined where none was given. */
  async openVolumes(): Promise<OpenedVolumes | undefined> {
    const location = await resolveVolumeLocation(this.#flags);
    return location === undefined ? undefined : await this.openVolumesAt(location);
  }

  /** Opens a VolumeSnapshotLocation that the command itself made up. */
  async openVolumesAt(location: VolumeLocation): Promise<OpenedVolumes> {
    const client = (await this.plugins()).manager.getVolumeSnapshotter(location.provider);
    await client.init(location.config);
    return { location, client };
  }

  /** The same for a command that cannot do without. */
  async openRequiredVolumes(): Promise<OpenedVolumes> {
    const volumes = await this.openVolumes();
    if (volumes !== undefined) return volumes;
    throw new UsageError(
      "no volume location given: add --volume-config region=REGION, or --volume-location FILE with a VolumeSnapshotLocation",
    );
  }

  /** What is passed to each call of a plugin. */
  get call(): { readonly signal: AbortSignal } {
    return { signal: this.context.signal };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.progress.clear();
    // A discovery that failed has left no process, and was reported where it was awaited.
    const plugins = await this.#plugins?.catch(() => undefined);
    const managers = plugins === undefined ? [] : [plugins.manager, ...this.#managersApart];
    await Promise.all(managers.map((manager) => manager.close()));
  }

  #hear(line: PluginLogLine): void {
    if (line.level !== "trace" && line.level !== "debug") this.pluginLines.push(line);
    const rank = logThresholds.findIndex((level) => level === (line.level === "trace" ? "debug" : line.level));
    if (this.#flags.quiet || rank < logThresholds.indexOf(this.#flags.logLevel)) return;
    const fields = Object.entries(line.fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
    this.progress.clear();
    this.context.printError(`${printable(`plugin ${line.level}: ${line.message}${fields.join("")}`)}\n`);
  }
}

/** The kind and text of anything thrown, for people and for JSON. */
export function describeError(thrown: unknown): { readonly kind: string; readonly message: string } {
  if (thrown instanceof UsageError) return { kind: "usage", message: thrown.message };
  const { kind, message } = PluginError.from(thrown);
  return { kind, message };
}
