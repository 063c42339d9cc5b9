import { velero } from "../wire/index.ts";
import { unaryHandler } from "./handlers.ts";
import type { Handler, ServiceContext } from "./handlers.ts";
import type { Registration } from "./registrations.ts";

/** The server's PluginLister service: what this executable registers, and the command that starts it. */
export function pluginListerHandlers(
  registrations: readonly Registration[],
  command: string,
  context: ServiceContext,
): readonly Handler[] {
  const plugins = registrations.map(({ kind, name }) => ({ command, kind, name }));
  return [
    unaryHandler(velero.PluginLister.method.listPlugins, context, async () => await Promise.resolve({ plugins })),
  ];
}
