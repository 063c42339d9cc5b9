import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { PluginError } from "../plugin/index.ts";
import { readIntoOneBuffer } from "./one-read-buffer.ts";
import { proxyFor } from "./proxy.ts";
import type { Environment } from "./proxy.ts";
import { tlsOptions } from "./trust.ts";
import type { Trust } from "./trust.ts";

/** How the connections of one location are made. */
export interface AgentPoolOptions {
  readonly env: Environment;
  readonly trust: Trust;
  /** True for a location that switched the certificate check off. */
  readonly insecureSkipVerify?: boolean;
  /** Connections per host and port. */
  readonly maxSockets?: number;
}

const defaultMaxSockets = 50;

/**
 * Keep-alive agents of Node's http and https, chosen by URL: one per scheme and proxy. The CA list is loaded by the
 * first https request, so that a location on plain http never pays for it.
 */
export class AgentPool {
  readonly #options: AgentPoolOptions;
  readonly #agents = new Map<string, HttpAgent | HttpsAgent>();

  constructor(options: AgentPoolOptions) {
    this.#options = options;
  }

  /** The agent for requests to this URL. */
  agentFor(url: URL): HttpAgent | HttpsAgent {
    const proxy = proxyFor(this.#options.env, url);
    const key = `${url.protocol} ${proxy?.href ?? "direct"}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      agent = this.#createAgent(url.protocol === "https:", proxy);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  /** Closes every connection. */
  destroy(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #createAgent(isSecure: boolean, proxy: URL | undefined): HttpAgent | HttpsAgent {
    const shared = {
      keepAlive: true,
      maxSockets: this.#options.maxSockets ?? defaultMaxSockets,
      onread: readIntoOneBuffer,
      ...(proxy === undefined ? {} : { proxyEnv: proxyEnvironment(proxy) }),
    };
    if (proxy?.protocol === "https:") this.#options.trust.coverProxies();
    if (!isSecure) return new HttpAgent(shared);
    return new HttpsAgent({
      ...shared,
      ...(this.#options.insecureSkipVerify === true
        ? { ...tlsOptions, rejectUnauthorized: false }
        : { secureContext: this.#options.trust.secureContext() }),
    });
  }
}

function proxyEnvironment(proxy: URL): { readonly HTTP_PROXY: string; readonly HTTPS_PROXY: string } {
  if (proxy.protocol !== "http:" && proxy.protocol !== "https:")
    throw new PluginError(
      `the proxy ${proxy.protocol}//${proxy.host} of the environment cannot be used; set HTTPS_PROXY and HTTP_PROXY to an http:// or https:// proxy`,
      { kind: "invalid-config" },
    );
  return { HTTP_PROXY: proxy.href, HTTPS_PROXY: proxy.href };
}
