import { isSea } from "node:sea";

/** How this process was started, as far as the command path depends on it. */
export interface ProcessStart {
  /** Whether the program is a single executable, not a script run by node. */
  readonly isExecutable: boolean;
  /** The first word as the host passed it. */
  readonly argv0: string;
  readonly execPath: string;
  readonly scriptPath: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The path that the server executes to start this plugin again: exactly the one by which it was started now. A script is
 * started by its own path through its interpreter line; a launcher in front of one names itself in FLOTILLA_COMMAND,
 * since a script cannot see it.
 */
export function commandPath(start: ProcessStart = currentStart()): string {
  if (start.isExecutable) return start.argv0.includes("/") ? start.argv0 : start.execPath;
  return start.env["FLOTILLA_COMMAND"] ?? start.scriptPath ?? start.execPath;
}

function currentStart(): ProcessStart {
  return {
    isExecutable: isSea(),
    argv0: process.argv0,
    execPath: process.execPath,
    scriptPath: process.argv[1],
    env: process.env,
  };
}
