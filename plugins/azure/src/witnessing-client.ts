import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";

/** An HTTP client that remembers why its last request failed: the identity SDK tells only that one did. */
export class WitnessingClient implements HttpClient {
  readonly #inner: HttpClient;
  #failure: unknown;

  constructor(inner: HttpClient) {
    this.#inner = inner;
  }

  /** Answers the failure once; undefined after a request that was answered. */
  takeFailure(): unknown {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
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
