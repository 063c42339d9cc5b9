import { readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isSea } from "node:sea";

import { discoverCommands, findExecutables, Manager } from "@flotilla/host";
import type { PluginLogLine, ProcessSettings, Registry } from "@flotilla/host";

import { UsageError } from "./cli-error.ts";
import type { CliContext } from "./context.ts";
import { keepCrashReport } from "./crash-reports.ts";

/** The flags that say which executables to use. */
export interface PluginFlags {
  readonly plugin: readonly string[];
  readonly pluginDir?: string;
}

/** How the executables are run. */
export interface PluginListeners {
  readonly onLog: (line: PluginLogLine) => void;
  readonly onViolation: (violation: string) => void;
  readonly logLevel: string;
}

/** The executables that were found, and the processes of those that are used. */
export interface Plugins {
  readonly registry: Registry;
  readonly manager: Manager;
  /** Processes of their own, for a location that must not share one with another. */
  readonly newManager: () => Manager;
}

const checkoutPlugins = join(import.meta.dirname, "..", "..", "plugins");

/** Where the plugins' images install them, and where the server looks for them. */
const installedPlugins = "/plugins";

/** Lets the host load the executables as the server would load them. */
export async function loadPlugins(
  context: CliContext,
  flags: PluginFlags,
  listeners: PluginListeners,
): Promise<Plugins> {
  const settings: ProcessSettings = {
    env: context.env,
    signal: context.signal,
    args: [`--log-level=${listeners.logLevel}`],
    onLog: listeners.onLog,
    onViolation: listeners.onViolation,
    onCrash: (report) => keepCrashReport(context, report),
  };
  const registry = await discoverCommands(await commands(context, flags), settings);
  const newManager = (): Manager => new Manager(registry, settings);
  return { registry, manager: newManager(), newManager };
}

async function commands(context: CliContext, flags: PluginFlags): Promise<readonly string[]> {
  if (flags.plugin.length > 0) {
    return await Promise.all(flags.plugin.map((path) => existing(resolve(context.workingDirectory, path), "--plugin")));
  }
  if (flags.pluginDir !== undefined) {
    const directory = await existing(resolve(context.workingDirectory, flags.pluginDir), "--plugin-dir");
    const found = await findExecutables(directory);
    if (found.length === 0) throw new UsageError(`--plugin-dir ${directory} holds no executable`);
    return found;
  }
  const found = isSea() ? await findExecutables(installedPlugins).catch(() => []) : await builtExecutables();
  if (found.length > 0) return found;
  const where = isSea()
    ? `${installedPlugins} holds no plugin executable: let the plugins' images install theirs there as init containers`
    : "no plugin executable is built in this checkout: run npm run build";
  throw new UsageError(`${where}, or name one by --plugin PATH or --plugin-dir DIR`);
}

/** The executables for this machine; those for others, and what belongs to them, lie in folders below. */
async function builtExecutables(): Promise<readonly string[]> {
  const packages = (await readdir(checkoutPlugins)).sort();
  const found = await Promise.all(
    packages.map(async (name) => {
      const dist = join(checkoutPlugins, name, "dist");
      return (await findExecutables(dist)).filter((path) => dirname(path) === dist);
    }),
  );
  return found.flat();
}

async function existing(path: string, flag: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    throw new UsageError(`${flag} ${path} does not exist or cannot be read`, { cause: error });
  }
}
