import { thrownText } from "./thrown-text.ts";

/** The server reads its plugins' lines through a buffer of 64 KiB; a longer line arrives in pieces, as plain text. */
const maxLineBytes = 60 * 1024;
const valueLimits = [16 * 1024, 1024, 128];

/** The levels of the wire. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * One log line as the server demands it: one flat JSON object whose values are strings, without exception. A message or
 * field of another type panics the server; a timestamp in JavaScript's form makes it discard the level.
 */
export function formatLogLine(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  const entries: [string, string][] = [["@level", level], ["@message", printable(message)], ...printableFields(fields)];
  for (const limit of [Number.POSITIVE_INFINITY, ...valueLimits]) {
    const line = JSON.stringify(Object.fromEntries(entries.map(([name, value]) => [name, cut(value, limit)])));
    if (Buffer.byteLength(line) <= maxLineBytes) return line;
  }
  // So many fields that even their starts do not fit: the message matters most.
  return JSON.stringify({ "@level": level, "@message": cut(printable(message), 1024), logCut: "fields dropped" });
}

function printableFields(fields: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [fieldName(name), printable(value)]);
}

/** Names that start with @ belong to the log protocol itself, but for the one that marks where a line comes from. */
function fieldName(name: string): string {
  return name === "@logSourceSetBy" ? name : name.replace(/^@+/, "");
}

function printable(value: unknown): string {
  if (typeof value !== "object" || value === null || value instanceof Error) return thrownText(value);
  try {
    return JSON.stringify(value) ?? "undefined";
  } catch {
    // A cycle, or a conversion that throws: the line says so instead of being lost.
    return "unprintable object";
  }
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} characters cut)`;
}
