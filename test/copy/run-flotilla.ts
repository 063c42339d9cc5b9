import { spawn } from "node:child_process";
import { join } from "node:path";

import { builtCommand } from "../wire/workspace.ts";

/** How a run of the command line ended. */
interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run that is under way. */
export interface StartedRun {
  readonly pid: number;
  readonly end: Promise<Run>;
  kill(signal: NodeJS.Signals): void;
}

const checkout = join(import.meta.dirname, "..", "..");
const executables = [
  builtCommand("aws", "FLOTILLA_PLUGIN_UNDER_TEST"),
  builtCommand("azure", "FLOTILLA_AZURE_PLUGIN_UNDER_TEST"),
  builtCommand("gcp", "FLOTILLA_GCP_PLUGIN_UNDER_TEST"),
];

/** Starts `flotilla` with the built executables of all clouds, in a folder; it knows nothing of this machine's settings. */
export function startFlotilla(folder: string, words: readonly string[]): StartedRun {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    TMPDIR: folder,
    AWS_EC2_METADATA_DISABLED: "true",
    GCE_METADATA_HOST: "127.0.0.1:1",
  };
  const main = join(checkout, "cli", "src", "main.ts");
  const plugins = executables.flatMap((path) => ["--plugin", path]);
  const child = spawn(process.execPath, [main, ...words, ...plugins], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    pid: child.pid ?? 0,
    end: Promise.all([exit, stdout, stderr]).then(([exitCode, out, err]) => ({ exitCode, stdout: out, stderr: err })),
    kill: (signal) => void child.kill(signal),
  };
}

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
