/** How long to wait between tries. */
export interface Backoff {
  /** Before the second try, on average. */
  readonly baseMs: number;
  /** Never longer than this. */
  readonly maxMs: number;
}

/**
 * The wait after the given number of failed tries (1 for the first): doubled each time, with equal jitter (half of it
 * is random), so that callers which failed together do not come back together.
 */
export function backoffMs(failedTries: number, { baseMs, maxMs }: Backoff, random: () => number): number {
  const full = Math.min(maxMs, baseMs * 2 ** (failedTries - 1));
  return full / 2 + (full / 2) * random();
}
