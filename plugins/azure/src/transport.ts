import { createDefaultHttpClient } from "@azure/core-rest-pipeline";
import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { AgentPool, createTrust, proxyFor } from "@flotilla/sdk/network";
import type { Environment } from "@flotilla/sdk/network";
import { describeFailure } from "./network-failure.ts";

/** How a location reaches its services. */
export interface TransportOptions {
  readonly env: Environment;
  /** PEM text of the location. */
  readonly caCert: string | undefined;
  readonly insecureSkipVerify: boolean;
}

/** The connections of one location. */
export interface Transport {
  /** For every SDK client of the location, those inside the credentials included. */
  readonly httpClient: HttpClient;
  /** Closes the connections. */
  destroy(): void;
}

// Without an answer: a store may take its time over committing many blocks.
const answerTimeoutMs = 60_000;
// As the layers allow for: a body that travels more slowly than this is stuck.
const slowestBytesPerMs = 64;

/** Each URL gets the proxy that Go would choose; connections are kept and share one trust. */
export function createTransport(options: TransportOptions): Transport {
  const trust = createTrust({
    env: options.env,
    extraPems: options.caCert === undefined ? [] : [options.caCert],
  });
  const pool = new AgentPool({ env: options.env, trust, insecureSkipVerify: options.insecureSkipVerify });
  return { httpClient: new RoutedHttpClient(pool, options.env), destroy: () => pool.destroy() };
}

class RoutedHttpClient implements HttpClient {
  readonly #pool: AgentPool;
  readonly #env: Environment;
  readonly #inner = createDefaultHttpClient();

  constructor(pool: AgentPool, env: Environment) {
    this.#pool = pool;
    this.#env = env;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const url = new URL(request.url);
    request.agent = this.#pool.agentFor(url);
    // Whoever is asked for a token has a time of its own.
    if (request.timeout === 0) request.timeout = answerTimeoutMs + sizeOf(request.body) / slowestBytesPerMs;
    try {
      return await this.#inner.sendRequest(request);
    } catch (error) {
      throw this.#describe(error, request, url);
    }
  }

  #describe(error: unknown, request: PipelineRequest, url: URL): unknown {
    if (!(error instanceof Error)) return error;
    const proxy = proxyFor(this.#env, url);
    // The SDK keeps the code of a network error but not whom it was about.
    const peer = proxy === undefined ? url.host : `${url.host} through the proxy ${proxy.host}`;
    return describeFailure(error, request, peer);
  }
}

function sizeOf(body: PipelineRequest["body"]): number {
  if (typeof body === "string") return body.length;
  return ArrayBuffer.isView(body) ? body.byteLength : 0;
}
