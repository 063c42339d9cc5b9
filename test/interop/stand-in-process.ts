import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { ownChild, stopChild } from "./child.ts";

/** A program of stand-ins that runs. */
export interface StandInProcess {
  /** The one line that it printed once it was ready, which is JSON. */
  readonly line: string;
  /** Gives it a command and returns its answer, which is JSON; only for programs that take commands. */
  readonly tell: (command: string) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Starts a program of stand-ins as a child, which lives as long as its stdin is open. */
export async function startStandInProcess(program: string, args: readonly string[]): Promise<StandInProcess> {
  const child = ownChild(spawn(process.execPath, [program, ...args], { stdio: ["pipe", "pipe", "inherit"] }));
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(([code]) => Promise.reject(new Error(`the stand-ins ended with ${code}`)));
  // After the last line nobody waits for the end any more.
  ended.catch(() => undefined);
  const nextLine = async (): Promise<string> =>
    await Promise.race([once(lines, "line").then(([text]) => String(text)), ended]);
  const line = await nextLine();
  return {
    line,
    tell: async (command) => {
      const answer = nextLine();
      child.stdin.write(`${command}\n`);
      return await answer;
    },
    stop: () => stopChild(child),
  };
}
