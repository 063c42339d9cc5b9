/** One frame of a stack, as the server's log names it. */
export interface StackFrame {
  readonly file: string;
  readonly line: number;
  readonly function: string;
}

const maxFrames = 24;
const framePattern = /^\s*at (?:async )?(?:(?<name>.*?) \()?(?:file:\/\/)?(?<file>[^()]+?):(?<line>\d+):\d+\)?$/;

/** The frames of an error's stack, innermost first. Empty for what carries none. */
export function stackFrames(thrown: unknown): readonly StackFrame[] {
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  if (typeof stack !== "string") return [];
  return stack
    .split("\n")
    .flatMap((line) => parseFrame(line) ?? [])
    .slice(0, maxFrames);
}

/** `file:line` of the code that called `callee`. Empty where the stack does not tell. */
export function callerLocation(callee: (...rest: never[]) => unknown): string {
  const holder: { stack?: unknown } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(holder, callee);
  Error.stackTraceLimit = limit;
  const frame = typeof holder.stack === "string" ? parseFrame(holder.stack.split("\n")[1] ?? "") : undefined;
  return frame === undefined ? "" : `${frame.file.split("/").slice(-2).join("/")}:${frame.line}`;
}

function parseFrame(text: string): StackFrame | undefined {
  const groups = framePattern.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const line = Number(groups["line"]);
  // The wire holds 32 bits.
  if (line > 0x7fff_ffff) return undefined;
  return { file: (groups["file"] ?? "").slice(0, 512), line, function: (groups["name"] ?? "").slice(0, 256) };
}
