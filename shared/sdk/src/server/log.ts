import { LineWriter } from "./line-writer.ts";
import { formatLogLine } from "./log-line.ts";
import { callerLocation } from "./stack-frames.ts";
import type { LogLevel } from "./log-line.ts";
import type { LogFields, Logger } from "../plugin/index.ts";

const severity: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** The server's level names, as its `--log-level` flag spells them, on the four levels of the wire. */
const levelWords = new Map<string, LogLevel>([
  ["trace", "debug"],
  ["debug", "debug"],
  ["info", "info"],
  ["warn", "warn"],
  ["warning", "warn"],
  ["error", "error"],
  ["fatal", "error"],
  ["panic", "error"],
]);

/** The lowest level to write, from the text of `--log-level`; info where it is absent or unknown. */
export function parseLogLevel(text: string | undefined): LogLevel {
  return levelWords.get(text?.toLowerCase() ?? "") ?? "info";
}

/** A logger that writes lines in the server's form to stderr. */
export function stderrLogger(lowest: LogLevel): Logger {
  const writer = new LineWriter(2);
  return createLogger(lowest, (line) => {
    writer.write(line);
  });
}

/** A logger that hands each finished line to `write`. */
export function createLogger(lowest: LogLevel, write: (line: string) => void): Logger {
  function at(level: LogLevel): (message: string, fields?: LogFields) => void {
    if (severity[level] < severity[lowest]) return () => {};
    const log = (message: string, fields: LogFields = {}): void => {
      // The server prints its own source location unless a line says that it brings one.
      const source = { logSource: callerLocation(log), "@logSourceSetBy": "plugin" };
      write(formatLogLine(level, message, { ...fields, ...source }));
    };
    return log;
  }
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
