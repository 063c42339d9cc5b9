/** Flat fields of a log line; every value becomes a string on the wire, since the server can crash on anything else. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/**
 * Log lines for the server. It counts each warn line as a warning of the backup and each error line as an error, so
 * warn is only for data that was at risk, error only for the end of the process; advice is info.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Swallows every line. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
