import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { dirname } from "node:path";

import { ownChild, stopChild } from "../interop/child.ts";

/** A program that runs until it is stopped. */
export interface Daemon {
  readonly pid: number;
  readonly logFile: string;
  /** Throws when it has ended by itself. */
  mustRun(): void;
  stop(): Promise<void>;
}

/** How to start it. */
export interface DaemonOptions {
  readonly args: readonly string[];
  /** Takes all that it prints; continued where it is there. */
  readonly logFile: string;
  /** All of its environment. Default: where programs are, and a home beside the log. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program in the background. */
export function startDaemon(name: string, command: string, options: DaemonOptions): Daemon {
  const log = openSync(options.logFile, "a");
  const child = ownChild(
    spawn(command, options.args, {
      env: options.env ?? { PATH: process.env["PATH"] ?? "", HOME: dirname(options.logFile) },
      stdio: ["ignore", log, log],
    }),
  );
  closeSync(log);
  let end: string | undefined;
  child.once("error", (error) => (end = String(error)));
  child.once("exit", (code, signal) => (end = `with ${signal ?? String(code)}`));
  return {
    pid: child.pid ?? 0,
    logFile: options.logFile,
    mustRun: () => {
      if (end !== undefined) throw new Error(`${name} ended ${end}, see ${options.logFile}`);
    },
    stop: async () => await stopChild(child),
  };
}
