import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";

/**
 * An HTTP client that remembers why its last request failed, since the identity SDK tells only that one did, and that
 * waits for each answer no longer than told.
 */
export class WitnessingClient implements HttpClient {
  readonly #inner: HttpClient;
  readonly #answerTimeoutMs: number;
  #failure: unknown;

  constructor(inner: HttpClient, answerTimeoutMs: number) {
    this.#inner = inner;
    this.#answerTimeoutMs = answerTimeoutMs;
  }

  /** Answers the failure once; undefined after a request that was answered. */
  takeFailure(): unknown {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    request.timeout = this.#answerTimeoutMs;
    try {
      const response = await this.#inner.sendRequest(request);
      this.#failure = undefined;
      return response;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}
