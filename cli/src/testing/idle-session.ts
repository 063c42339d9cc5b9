import type { CliContext } from "../context.ts";
import { Session } from "../session.ts";

/** A session in which no plugin is started, for commands that are given what they work on. */
export function idleSession(signal: AbortSignal = new AbortController().signal): Session {
  const context: CliContext = {
    env: {},
    workingDirectory: ".",
    printOut: () => {},
    printError: () => {},
    isTerminal: false,
    signal,
    now: () => new Date(0),
  };
  return new Session(context, {
    plugin: [],
    output: "table",
    logLevel: "warn",
    quiet: true,
    config: [],
    volumeConfig: [],
  });
}
