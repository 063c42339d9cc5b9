/**
 * How long the cloud may be silent. Services answer within seconds, and their own balancers cut idle connections after
 * 60 to 120 s; what lasts longer than this is a lost connection that nobody reported.
 */
export const stallLimitMs = 90_000;

/** Below this rate per connection a transfer counts as stalled: a part of 8 MiB would take over two minutes. */
const slowestBytesPerSecond = 64 * 1024;

/** For making an upload's parts one object, which S3 documents to take minutes for many parts. */
export const completeLimitMs = 600_000;

/** For removing what a failed upload left: the failure waits for it. */
export const discardLimitMs = 30_000;

/** The bound on one request that sends so many bytes, whose progress only the driver could see. */
export function requestLimitMs(bytes: number): number {
  return stallLimitMs + (bytes / slowestBytesPerSecond) * 1000;
}

/** After this long without being asked for more, a download gives up what it has fetched ahead. */
export const readerAwayMs = 60_000;
