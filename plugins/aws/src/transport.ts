import { readFile } from "node:fs/promises";
import { AgentPool, certificatesIn, createTrust } from "@flotilla/sdk/network";
import type { Environment } from "@flotilla/sdk/network";
import { PluginError } from "@flotilla/sdk/plugin";
import type { HttpHandler, HttpRequest, HttpResponse } from "@smithy/core/protocols";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { HttpHandlerOptions } from "@smithy/types";

/** How a location reaches its services. */
export interface TransportOptions {
  readonly env: Environment;
  /** PEM text of the location. */
  readonly caCert: string | undefined;
  /** PEM file of AWS_CA_BUNDLE or the profile's ca_bundle. */
  readonly caBundle: string | undefined;
  readonly insecureSkipVerify: boolean;
}

// Long enough for a proxy that dials slowly, short enough that a black hole is noticed before the server gives up.
const connectionTimeoutMs = 10_000;
// Without a byte in either direction: a store may take its time over completing an upload of many parts.
const socketTimeoutMs = 60_000;

/**
 * The HTTP handler of every SDK client of one location, those inside the credential providers included. Each URL gets
 * the proxy that Go would choose; connections are kept and share one trust.
 */
export async function createTransport(options: TransportOptions): Promise<HttpHandler> {
  const extraFiles = options.caBundle === undefined ? [] : [options.caBundle];
  await Promise.all(extraFiles.map(requireCertificates));
  const trust = createTrust({
    env: options.env,
    extraPems: options.caCert === undefined ? [] : [options.caCert],
    extraFiles,
  });
  return new RoutedHandler(new AgentPool({ env: options.env, trust, insecureSkipVerify: options.insecureSkipVerify }));
}

async function requireCertificates(path: string): Promise<void> {
  let count: number;
  try {
    count = certificatesIn(await readFile(path, "utf8")).length;
  } catch (error) {
    throw new PluginError(`the CA bundle "${path}" (AWS_CA_BUNDLE or ca_bundle) cannot be read`, {
      kind: "invalid-config",
      cause: error,
    });
  }
  if (count === 0)
    throw new PluginError(`the CA bundle "${path}" (AWS_CA_BUNDLE or ca_bundle) holds no PEM certificate`, {
      kind: "invalid-config",
    });
}

class RoutedHandler implements HttpHandler {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #pool: AgentPool;
  /** By origin, so that the way to it is chosen once and not for each request. */
  readonly #handlers = new Map<string, NodeHttpHandler>();

  constructor(pool: AgentPool) {
    this.#pool = pool;
  }

  async handle(request: HttpRequest, options?: HttpHandlerOptions): Promise<{ response: HttpResponse }> {
    const port = request.port === undefined ? "" : `:${request.port}`;
    const origin = `${request.protocol}//${request.hostname}${port}`;
    let handler = this.#handlers.get(origin);
    if (handler === undefined) {
      const agent = this.#pool.agentFor(new URL(origin));
      handler = new NodeHttpHandler({
        connectionTimeout: connectionTimeoutMs,
        socketTimeout: socketTimeoutMs,
        ...(request.protocol === "https:" ? { httpsAgent: agent } : { httpAgent: agent }),
      });
      this.#handlers.set(origin, handler);
    }
    return await handler.handle(request, options);
  }

  destroy(): void {
    this.#handlers.clear();
    this.#pool.destroy();
  }

  updateHttpClientConfig(): void {
    // The clients offer their defaults for timeouts here; this location's own stand.
  }

  httpHandlerConfigs(): object {
    return {};
  }
}
