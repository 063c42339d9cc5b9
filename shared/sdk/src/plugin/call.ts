import type { Logger } from "./logger.ts";

/** What every call of the contract is given beside its request. */
export interface Call {
  /**
   * Aborted when the host cancelled the call or is gone, or a deadline passed. The server itself sets no deadline and
   * would wait for ever, so the plugin's side of the wire bounds unary calls in total and streams by lack of progress.
   */
  readonly signal: AbortSignal;
  readonly log: Logger;
}
