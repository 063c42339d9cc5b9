import { CommanderError } from "commander";

import type { CliContext } from "./context.ts";
import { createProgram } from "./program.ts";
import { exitCodes } from "./run-command.ts";
import type { Outcome } from "./run-command.ts";
import { nounFirst } from "./word-order.ts";

/** Runs the command line and answers the exit code. */
export async function runCli(words: readonly string[], context: CliContext): Promise<number> {
  const outcome: Outcome = { exitCode: exitCodes.done };
  try {
    await createProgram(context, outcome).parseAsync([...nounFirst(words)], { from: "user" });
    return outcome.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // The library has printed what was wrong with the flags, or the help that was asked for.
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
}
