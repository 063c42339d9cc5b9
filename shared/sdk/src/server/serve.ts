import { writeSync } from "node:fs";
import type { Socket } from "node:net";

import { PluginError } from "../plugin/index.ts";
import type { Definition, Logger } from "../plugin/index.ts";
import { CallBounds } from "./call-bounds.ts";
import { commandPath } from "./command-path.ts";
import { handRunText, hasMagicCookie } from "./cookie.ts";
import { parseFlags } from "./flags.ts";
import { handshakeLine } from "./handshake.ts";
import { missingHomeFolder } from "./home-folder.ts";
import { Lifetime } from "./lifetime.ts";
import { listen } from "./listener.ts";
import { stderrLogger } from "./log.ts";
import { registrationsOf } from "./registrations.ts";
import type { Registration } from "./registrations.ts";
import { guardStandardStreams, writeHandshake } from "./stdout-guard.ts";
import { thrownText } from "./thrown-text.ts";

/** What an executable consists of. */
export interface ServedPlugin {
  /** The executable's name, for example `flotilla-plugin-aws`. */
  readonly name: string;
  readonly version: string;
  readonly implementations: readonly Definition[];
}

/**
 * Serves the implementations to the host that started this process, until the host ends it or is gone. The only thing
 * that a plugin's main program calls. Without a host it explains itself and ends the process.
 */
export async function serve(plugin: ServedPlugin): Promise<void> {
  const flags = parseFlags(process.argv.slice(2));
  if (flags.version) {
    writeSync(1, `${plugin.name} ${plugin.version}\n`);
    process.exit(0);
  }
  const log = stderrLogger(flags.logLevel);
  try {
    const registrations = registrationsOf(plugin.implementations, process.env["FLOTILLA_ALIAS"]);
    if (!hasMagicCookie(process.env)) process.exit(await runByHand(plugin, registrations));
    guardStandardStreams(log);
    reportFatalErrors(log);
    refuseCertificates();
    const home = missingHomeFolder(process.env);
    if (home !== undefined) process.env["HOME"] = home;
    await start(registrations, log);
  } catch (error) {
    log.error(`${plugin.name} could not start: ${PluginError.from(error).message}`);
    process.exit(1);
  }
}

/** What the executable does without a host, as its image's init container runs it: `install TARGET`. The exit code. */
async function runByHand(plugin: ServedPlugin, registrations: readonly Registration[]): Promise<number> {
  const [command, target] = process.argv.slice(2);
  if (command !== "install" || target === undefined) {
    writeSync(2, handRunText(plugin, registrations));
    return 1;
  }
  const { installExecutable } = await import("./install.ts");
  try {
    await installExecutable(commandPath(), target);
    writeSync(1, `${plugin.name} ${plugin.version} is installed in ${target}\n`);
    return 0;
  } catch (error) {
    writeSync(2, `${PluginError.from(error).message}\n`);
    return 1;
  }
}

async function start(registrations: readonly Registration[], log: Logger): Promise<void> {
  const listener = await listen(process.env);
  const bounds = new CallBounds(log);
  const lifetime = new Lifetime({ log, bounds, cleanUp: () => listener.remove() });
  lifetime.watch();
  const early: Socket[] = [];
  let take = (connection: Socket): void => void early.push(connection);
  listener.server.on("connection", (connection) => {
    lifetime.connected(connection);
    take(connection);
  });
  // The host dials and prepares its first call while the wire's code, most of the start-up time, is still being loaded.
  writeHandshake(handshakeLine(listener));
  const { createPluginServer } = await import("./plugin-server.ts");
  take = createPluginServer({ registrations, command: commandPath(), log, bounds, signals: lifetime });
  for (const connection of early) take(connection);
}

function refuseCertificates(): void {
  if ((process.env["PLUGIN_CLIENT_CERT"] ?? "") === "") return;
  throw new PluginError(
    "the host asks for mutual TLS (PLUGIN_CLIENT_CERT), which this plugin does not speak; turn AutoMTLS off in the host",
    { kind: "unsupported" },
  );
}

/** What nobody caught ends the process with a line that says why: the runtime's own report would stay invisible. */
function reportFatalErrors(log: Logger): void {
  process.on("uncaughtException", (error: unknown, origin) => {
    const stack = error instanceof Error ? error.stack : undefined;
    log.error(`the plugin ends after an unexpected error: ${thrownText(error)}`, { origin, stack });
    process.exit(1);
  });
}
