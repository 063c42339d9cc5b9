import { backoffMs } from "./backoff.ts";
import type { Backoff } from "./backoff.ts";
import type { Call } from "./call.ts";
import type { Clock } from "./clock.ts";
import { PluginError } from "./plugin-error.ts";

/** How failed requests are tried again. */
export interface RetryPolicy extends Backoff {
  /** Of one request, the first included. */
  readonly tries: number;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Told each transient failure, since whoever gives up first must not have to say that nothing was answered. */
  readonly onFailure?: (error: PluginError) => void;
}

/**
 * Beyond the retries of the cloud's SDK, which are over within seconds: these outlast a fail-over of the service or of a
 * router, about a quarter of a minute in all.
 */
export const defaultTries: Backoff & { readonly tries: number } = { tries: 5, baseMs: 1000, maxMs: 15_000 };

/** Longer than this nobody waits for a service, whatever it asks for. */
const maxRetryAfterMs = 60_000;

/** Whether the same request may succeed later. */
export function isTransient(thrown: unknown): boolean {
  return thrown instanceof PluginError && (thrown.kind === "unavailable" || thrown.kind === "timeout");
}

/** Runs an operation until it succeeds, fails for good, or the tries are used up; then the last error stands. */
export async function withRetry<T>(
  policy: RetryPolicy,
  call: Call,
  what: string,
  operation: () => Promise<T>,
): Promise<T> {
  for (let failed = 1; ; failed += 1) {
    try {
      return await operation();
    } catch (error) {
      if (!call.signal.aborted && isTransient(error)) policy.onFailure?.(PluginError.from(error));
      if (call.signal.aborted || !isTransient(error) || failed >= policy.tries) throw error;
      await pauseAfter(policy, call, what, failed, error);
    }
  }
}

/** Waits before the next try, and says so in the log. */
export async function pauseAfter(
  policy: RetryPolicy,
  call: Call,
  what: string,
  failedTries: number,
  error: unknown,
): Promise<void> {
  const { message: reason, retryAfterMs = 0 } = PluginError.from(error);
  const delayMs = Math.max(backoffMs(failedTries, policy, policy.random), Math.min(retryAfterMs, maxRetryAfterMs));
  call.log.info(`${what}: trying again`, {
    attempt: failedTries,
    delayMs: Math.round(delayMs),
    reason,
  });
  await policy.clock.sleep(delayMs, call.signal);
}
