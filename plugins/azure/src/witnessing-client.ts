import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";

/**
 * An HTTP client that remembers how its last request ended, since the identity SDK tells only that one failed, and that
 * waits for each answer no longer than told.
 */
export class WitnessingClient implements HttpClient {
  readonly #inner: HttpClient;
  readonly #answerTimeoutMs: number;
  #failure: unknown;
  #status: number | undefined;

  constructor(inner: HttpClient, answerTimeoutMs: number) {
    this.#inner = inner;
    this.#answerTimeoutMs = answerTimeoutMs;
  }

  /** What was thrown, or what is known of the last request: its failure, the status of an answer that passes. Once. */
  explain(thrown: unknown): unknown {
    const [failure, statusCode = 0] = [this.#failure, this.#status];
    [this.#failure, this.#status] = [undefined, undefined];
    if (failure !== undefined) return failure;
    if (statusCode !== 429 && statusCode < 500) return thrown;
    return Object.assign(new Error(`HTTP ${statusCode}`, { cause: thrown }), { statusCode });
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    request.timeout = this.#answerTimeoutMs;
    [this.#failure, this.#status] = [undefined, undefined];
    try {
      const response = await this.#inner.sendRequest(request);
      this.#status = response.status;
      return response;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}
