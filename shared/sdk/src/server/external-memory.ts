import { setFlagsFromString } from "node:v8";

/** The option of V8; the test beside this file fails where a later version knows it no more. */
export const externalMemoryFlag = "--external-memory-accounted-in-global-limit";

let isPrepared = false;

/**
 * Prepares the process for large bodies. They lie outside V8's heap, which is small: by default V8 collects all of it
 * whenever 64 MiB came to lie outside, which the read-ahead of each large object does, and finds nothing. With this
 * option the two are weighed together: a quarter less CPU for a get, at the same peak.
 *
 * Not at the start of the process: V8 refuses code caches, Node's own included, that were made under other options.
 */
export function expectLargeBodies(): void {
  if (isPrepared) return;
  isPrepared = true;
  setFlagsFromString(externalMemoryFlag);
}
