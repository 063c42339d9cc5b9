import { PluginError } from "@flotilla/sdk/plugin";
import type { Logger } from "@flotilla/sdk/plugin";
import { velero } from "@flotilla/sdk/wire";

import { findExecutables } from "./find-executables.ts";
import { PluginProcess } from "./plugin-process.ts";
import type { ProcessSettings } from "./plugin-process.ts";
import { Registry } from "./registry.ts";
import { toPluginError } from "./status-error.ts";
import { unary } from "./wire-call.ts";

/** How discovery goes about it, beside how processes are started. */
export interface DiscoverySettings extends ProcessSettings {
  /** Hears of skipped files; nobody. */
  readonly log?: Logger;
}

/**
 * Asks every executable below a folder what it registers, as the server does at its start: one after the other, each
 * in a process of its own that is ended again. Any failure fails the whole, and the server would not start.
 */
export async function discover(directory: string, settings: DiscoverySettings): Promise<Registry> {
  return await discoverCommands(await findExecutables(directory, settings.log), settings);
}

/** The same for executables given one by one. */
export async function discoverCommands(commands: readonly string[], settings: ProcessSettings): Promise<Registry> {
  const registry = new Registry();
  for (const command of commands) {
    for (const plugin of await listPlugins(command, settings)) registry.register(plugin);
  }
  return registry;
}

async function listPlugins(command: string, settings: ProcessSettings): Promise<readonly velero.PluginIdentifier[]> {
  const process = await PluginProcess.start(command, settings);
  try {
    const { plugins } = await unary(process.client, velero.PluginLister.method.listPlugins, {});
    const wrong = plugins.find((plugin) => plugin.command !== command);
    if (wrong !== undefined) {
      settings.onViolation?.(
        `${wrong.kind} ${wrong.name} is listed with the command ${JSON.stringify(wrong.command)}, ` +
          `which is what the server would execute instead of ${JSON.stringify(command)}`,
      );
    }
    return plugins;
  } catch (error) {
    const { kind, message } = toPluginError(error);
    throw new PluginError(`list the plugins of ${command}: ${message}`, { kind, cause: error });
  } finally {
    await process.close();
  }
}
