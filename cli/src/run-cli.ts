import { CommanderError } from "commander";

import type { CliContext } from "./context.ts";
import { createProgram } from "./program.ts";
import { exitCodes, printError } from "./run-command.ts";
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
    if (error.exitCode === 0) return exitCodes.done;
    if (wantsJson(words)) context.printOut(printError({ kind: "usage", message: messageOf(error) }));
    return exitCodes.usage;
  }
}

/** Whether a document was asked for, as far as words tell that the library has refused. */
function wantsJson(words: readonly string[]): boolean {
  return words.some(
    (word, index) =>
      word === "-ojson" || word === "--output=json" || (/^(-o|--output)$/.test(word) && words[index + 1] === "json"),
  );
}

/** Without the library's own label; it has no words for a command that is missing. */
function messageOf({ message }: CommanderError): string {
  return message.startsWith("(") ? "no such command: add --help for the commands" : message.replace(/^error: /, "");
}
