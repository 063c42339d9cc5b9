import { StandardRetryStrategy } from "@smithy/core/retry";
import type { RetryErrorInfo, RetryStrategyV2, StandardRetryToken } from "@smithy/types";

/**
 * Tries again only what the service refused for its rate: such a request had no effect. After anything else, a lost
 * answer above all, a second try could do the work twice.
 */
export function throttleRetryStrategy(maxAttempts: number): RetryStrategyV2 {
  const standard = new StandardRetryStrategy(maxAttempts);
  return {
    acquireInitialRetryToken: async (scope) => await standard.acquireInitialRetryToken(scope),
    // In the form of a method, whose token may be narrower than the interface's: it is the one that was acquired above.
    async refreshRetryTokenForRetry(token: StandardRetryToken, info: RetryErrorInfo) {
      if (info.errorType !== "THROTTLING") throw new Error("only throttled requests are tried again");
      return await standard.refreshRetryTokenForRetry(token, info);
    },
    recordSuccess(token: StandardRetryToken) {
      standard.recordSuccess(token);
    },
  };
}
