import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** How a run of the command line ended. */
interface CommandRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCommand {
  readonly finished: Promise<CommandRun>;
  /** What it has written to its standard error so far. */
  told(): string;
  /** Ends it as a machine that fails would: without a chance to clean up. */
  kill(): Promise<void>;
  /** Ends the plugin processes that it runs, and not itself. */
  killPlugins(): Promise<void>;
}

/** Starts `flotilla` with a plugin, as a user or a CronJob does. */
export function startFlotilla(
  words: readonly string[],
  { command, env }: { readonly command: string; readonly env: Readonly<Record<string, string>> },
): RunningCommand {
  const main = join(import.meta.dirname, "..", "..", "cli", "src", "main.ts");
  const child = spawn(process.execPath, [main, ...words, "--plugin", command], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const finished = collected(child);
  let told = "";
  child.stderr.on("data", (words: Buffer) => void (told += words.toString()));
  return {
    finished,
    told: () => told,
    kill: async () => {
      child.kill("SIGKILL");
      await finished;
    },
    killPlugins: async () => {
      const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
      for (const pid of children.split(" ").filter(Boolean)) process.kill(Number(pid), "SIGKILL");
    },
  };
}

async function collected(child: ChildProcess): Promise<CommandRun> {
  if (child.stdout === null || child.stderr === null) throw new Error("the command has no pipes");
  const ended = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [exitCode] = (await ended) as [number | null];
  return { exitCode, stdout, stderr };
}
