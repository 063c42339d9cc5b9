import { UsageError } from "./cli-error.ts";
import type { CliContext, Report } from "./context.ts";
import type { LocationFlags } from "./location.ts";
import { describeError, Session } from "./session.ts";
import type { RunFlags } from "./session.ts";

/** What a command came to; read once the program has run. */
export interface Outcome {
  exitCode: number;
}

/** The exit codes. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Runs a command with a session of its own, prints its report or its error, and notes the exit code. */
export async function runCommand(
  context: CliContext,
  outcome: Outcome,
  flags: RunFlags & Partial<LocationFlags>,
  work: (session: Session) => Promise<Report>,
): Promise<void> {
  try {
    const report = await inSession(context, flags, work);
    context.printOut(flags.output === "json" ? `${printJsonDocument(report.json)}\n` : report.text);
    const failed = context.signal.aborted ? exitCodes.interrupted : exitCodes.failed;
    outcome.exitCode = report.isFailure === true ? failed : exitCodes.done;
  } catch (error) {
    outcome.exitCode = exitCodeOf(error, context);
    const { kind, message } = describeError(error);
    const text = context.signal.aborted ? "interrupted" : message;
    context.printError(`error: ${text}\n`);
    if (flags.output === "json") context.printOut(printError({ kind, message: text }));
  }
}

/** The document of a command that failed. */
export function printError(error: { readonly kind: string; readonly message: string }): string {
  return `${printJsonDocument({ error })}\n`;
}

async function inSession<T>(
  context: CliContext,
  flags: RunFlags & Partial<LocationFlags>,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  await using session = new Session(context, { config: [], volumeConfig: [], ...flags });
  return await work(session);
}

function exitCodeOf(error: unknown, context: CliContext): number {
  if (context.signal.aborted) return exitCodes.interrupted;
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}

function printJsonDocument(document: unknown): string {
  return JSON.stringify(document, undefined, 2);
}
