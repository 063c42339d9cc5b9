#!/usr/bin/env node
import { runCli } from "./run-cli.ts";

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // The first interruption cleans up; a second one ends the process at once.
  process.once(signal, () => interruption.abort());
}

// A reader that has seen enough (`| head`) closes the pipe, which is no fault: the work goes on, and is cleaned up after.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  workingDirectory: process.cwd(),
  printOut: (text) => void process.stdout.write(text),
  printError: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  signal: interruption.signal,
  now: () => new Date(),
});
