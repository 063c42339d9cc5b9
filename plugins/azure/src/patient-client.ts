import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { backoffMs, systemClock } from "@flotilla/sdk/plugin";
import type { Backoff, Clock } from "@flotilla/sdk/plugin";

/** How often and after which waits a request is sent. */
export interface Patience extends Backoff {
  /** The first included. */
  readonly maxTries: number;
  readonly clock?: Clock;
}

// The Blob SDK asks again after 500, 503 and broken connections only. These come from the service's front ends and from
// gateways before it, and mean the same.
const passingStatuses: ReadonlySet<number> = new Set([408, 429, 502, 504]);

/** An HTTP client that sends a request again after refusals that pass and that the SDK takes for final. */
export class PatientClient implements HttpClient {
  readonly #inner: HttpClient;
  readonly #patience: Patience;

  constructor(inner: HttpClient, patience: Patience) {
    this.#inner = inner;
    this.#patience = patience;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const { maxTries, clock = systemClock, ...backoff } = this.#patience;
    for (let tries = 1; ; tries += 1) {
      const response = await this.#inner.sendRequest(request);
      if (!passingStatuses.has(response.status) || tries >= maxTries) return response;
      // Unread, it would keep its connection.
      response.readableStreamBody?.on("error", () => undefined);
      response.readableStreamBody?.resume();
      // The pipeline hands no other kind over.
      const signal = request.abortSignal instanceof AbortSignal ? request.abortSignal : undefined;
      await clock.sleep(backoffMs(tries, backoff, Math.random), signal);
    }
  }
}
