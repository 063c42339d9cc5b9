import type { LinePiece } from "./line-splitter.ts";

/** The levels of the server's log. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

/** A line of a plugin's stderr, read as the server reads it. */
export interface PluginLogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** A line with what is wrong about it: each fault would lose the line or crash the server. */
export interface ReadLogLine {
  readonly line: PluginLogLine;
  readonly violations: readonly string[];
}

const levels: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];
const bracketed = /^\[(TRACE|DEBUG|INFO|WARN|ERROR)\] ?/;
// Go's layout 2006-01-02T15:04:05.000000Z07:00: six fractional digits, or the server takes the line for plain text.
const goTimestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;

/** Reads the lines of one process. Holds whether a panic was seen: all untagged lines after it are errors. */
export class StderrLog {
  #hasPanicked = false;

  read(piece: LinePiece): ReadLogLine {
    if (!piece.isWhole) return plain(piece.text, "debug", ["a log line is longer than 64 KiB and arrives in pieces"]);
    const json = parseObject(piece.text);
    return json === undefined ? this.#readPlain(piece.text) : readJson(piece.text, json);
  }

  #readPlain(text: string): ReadLogLine {
    const tag = bracketed.exec(text);
    const level = levels.find((known) => known === tag?.[1]?.toLowerCase());
    if (tag !== null && level !== undefined) return plain(text.slice(tag[0].length), level, []);
    this.#hasPanicked ||= text.startsWith("panic: ") || text.startsWith("fatal error: ");
    return plain(text, this.#hasPanicked ? "error" : "debug", []);
  }
}

function readJson(text: string, json: Readonly<Record<string, unknown>>): ReadLogLine {
  const violations = Object.entries(json)
    .filter(([, value]) => typeof value !== "string")
    .map(([key]) => `the log field ${JSON.stringify(key)} is not a string, which can crash the server`);
  const level = levels.find((known) => known === String(json["@level"]).toLowerCase());
  if (level === undefined) {
    violations.push(
      `the log line has ${"@level" in json ? `the unknown @level ${String(json["@level"])}` : "no @level"}`,
    );
  }
  if ("@timestamp" in json && !goTimestamp.test(String(json["@timestamp"]))) {
    violations.push("the log line's @timestamp does not have six fractional digits");
    return plain(text, "debug", violations);
  }
  if (level === undefined) return plain(text, "debug", violations);
  const fields = Object.entries(json).filter(([key]) => !key.startsWith("@"));
  return {
    line: {
      level,
      message: printed(json["@message"] ?? ""),
      fields: Object.fromEntries(fields.map(([key, value]) => [key, printed(value)])),
    },
    violations,
  };
}

function plain(message: string, level: LogLevel, violations: readonly string[]): ReadLogLine {
  return { line: { level, message, fields: {} }, violations };
}

function printed(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // Text that starts with a brace and parses is an object.
    return value as Readonly<Record<string, unknown>>;
  } catch {
    // Not JSON: the line is plain text.
    return undefined;
  }
}
