import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { backoffMs, systemClock } from "@flotilla/sdk/plugin";
import type { Clock } from "@flotilla/sdk/plugin";
import { saysWhen } from "./retry-after.ts";

// About ten seconds in all, as after the failures that the SDKs' common pipeline knows.
const backoff = { baseMs: 500, maxMs: 8000 };
const maxTries = 6;

/**
 * An HTTP client that sends a request again after a 429 that does not say when, as the metadata service answers under
 * load: the SDKs' common pipeline takes that one for final, the official plugin's does not.
 */
export class ThrottledClient implements HttpClient {
  readonly #inner: HttpClient;
  readonly #clock: Clock;

  constructor(inner: HttpClient, clock: Clock = systemClock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    // The pipeline hands no other kind over.
    const signal = request.abortSignal instanceof AbortSignal ? request.abortSignal : undefined;
    for (let tries = 1; ; tries += 1) {
      const response = await this.#inner.sendRequest(request);
      if (response.status !== 429 || saysWhen((name) => response.headers.get(name)) || tries >= maxTries)
        return response;
      await this.#clock.sleep(backoffMs(tries, backoff, Math.random), signal);
    }
  }
}
