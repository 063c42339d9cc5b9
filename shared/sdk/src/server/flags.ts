import { parseLogLevel } from "./log.ts";
import type { LogLevel } from "./log-line.ts";

/** What a plugin reads of its command line. */
export interface Flags {
  readonly logLevel: LogLevel;
  readonly version: boolean;
}

/**
 * Reads the flags that matter. The server hands its own command line down verbatim, from the third word on, so unknown
 * flags, flags without value and stray words are all normal.
 */
export function parseFlags(args: readonly string[]): Flags {
  let logLevel: string | undefined;
  for (const [index, arg] of args.entries()) {
    if (arg === "--log-level") logLevel = args[index + 1];
    else if (arg.startsWith("--log-level=")) logLevel = arg.slice("--log-level=".length);
  }
  return { logLevel: parseLogLevel(logLevel), version: args.includes("--version") };
}
