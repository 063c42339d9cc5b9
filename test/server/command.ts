import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import { ownChild } from "../interop/child.ts";

/** What a finished command left. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a command. */
export interface CommandOptions {
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  /** Default: two minutes, after which it is killed. */
  readonly timeoutMs?: number;
}

/** Runs a command to its end, whatever that is. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { env, input = "", cwd, timeoutMs = 120_000 }: CommandOptions,
): Promise<CommandResult> {
  const child = ownChild(spawn(command, args, { env, cwd, stdio: "pipe" }));
  const ended = once(child, "close");
  const late = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  // One that has read enough closes its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  try {
    const [stdout, stderr, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    const note = signal === null ? "" : `\nit was ended by ${String(signal)}`;
    return { code: typeof code === "number" ? code : 1, stdout, stderr: `${stderr}${note}` };
  } finally {
    clearTimeout(late);
  }
}

/** Runs a command that must succeed, and answers what it printed. */
export async function mustRun(command: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, args, options);
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}
