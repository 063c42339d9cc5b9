#!/usr/bin/env node
import { canDrawOver } from "./output/progress.ts";
import { runCli } from "./run-cli.ts";
import { exitCodes } from "./run-command.ts";

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // The first interruption cleans up; a second one ends the process at once.
  process.once(signal, () => interruption.abort());
}

// What can be told to nobody, as on a full disk, must not end the work in its middle.
process.stderr.on("error", () => {});

let isResultLost = false;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head`) closes the pipe, which is no fault.
  if (error.code === "EPIPE") return;
  isResultLost = true;
  process.exitCode = exitCodes.failed;
  process.stderr.write(`error: the result could not be written: ${error.message}\n`);
});

const exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  workingDirectory: process.cwd(),
  printOut: (text) => void process.stdout.write(text),
  printError: (text) => void process.stderr.write(text),
  isTerminal: canDrawOver(process.stderr.isTTY, process.env),
  signal: interruption.signal,
  now: () => new Date(),
});
process.exitCode = isResultLost ? exitCodes.failed : exitCode;
