import { UsageError } from "./cli-error.ts";

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Reads a duration in Go's form, `90s` or `1h30m`, in milliseconds. */
export function parseDuration(text: string, flag: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new UsageError(`${flag} ${text}: give a duration such as 90s, 10m or 1h30m`);
  }
  return parts.reduce((sum, [, amount, unit = ""]) => sum + Number(amount) * (unitMs[unit] ?? 0), 0);
}

// The longest that a timer takes; a longer one would fire at once, again and again.
const maxIntervalMs = 2 ** 31 - 1;

/** Reads how long to wait between two rounds, in milliseconds. */
export function parseInterval(text: string, flag: string): number {
  const intervalMs = parseDuration(text, flag);
  if (intervalMs > 0 && intervalMs <= maxIntervalMs) return intervalMs;
  throw new UsageError(`${flag} ${text}: give a duration of more than nothing and up to 500h`);
}
