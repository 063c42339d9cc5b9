import { request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage, IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Agent } from "node:http";
import { AgentPool, createTrust, proxyFor } from "@flotilla/sdk/network";
import type { Environment } from "@flotilla/sdk/network";

/** How a location reaches its services. */
export interface TransportOptions {
  readonly env: Environment;
  /** PEM text of the location. */
  readonly caCert: string | undefined;
  readonly insecureSkipVerify: boolean;
}

/** One request. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Several pieces are sent in a row. They belong to the caller, who must not change them before the answer. */
  readonly body?: string | Uint8Array | readonly Uint8Array[];
  readonly signal: AbortSignal;
  /** Until the answer begins; a minute and what its body may take unless told. */
  readonly timeoutMs?: number;
  /** Never through a proxy: the metadata server answers the machine itself only. */
  readonly isDirect?: boolean;
  /** In place of the location's own. */
  readonly agent?: Agent;
}

/** What was answered; its body must be read to its end or destroyed. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
}

/** The connections of one location. */
export interface Transport {
  /** Sends one request. Any status is an answer; what fails below HTTP is thrown with Node's own code and the host. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Closes the connections. */
  destroy(): void;
}

// Without an answer: a store may take its time over finishing an upload.
const answerTimeoutMs = 60_000;
// As the layers allow for: a body that travels more slowly than this is stuck.
const slowestBytesPerMs = 64;

/** Each URL gets the proxy that Go would choose; connections are kept and share one trust. */
export function createTransport({ env, caCert, insecureSkipVerify }: TransportOptions): Transport {
  const trust = createTrust({ env, extraPems: caCert === undefined ? [] : [caCert] });
  const routed = new AgentPool({ env, trust, insecureSkipVerify });
  const direct = new AgentPool({ env: {}, trust, insecureSkipVerify });
  return {
    send: async (request) => {
      const { url, isDirect = false } = request;
      const agent = request.agent ?? (isDirect ? direct : routed).agentFor(url);
      const proxy = isDirect ? undefined : proxyFor(env, url);
      const peer = proxy === undefined ? url.host : `${url.host} through the proxy ${proxy.host}`;
      try {
        return await sendOnce(request, agent, peer);
      } catch (error) {
        // A kept connection that the service had closed meanwhile. What a request with a body left behind is for its
        // sender to find out.
        if (!(error instanceof StaleConnection)) throw error;
      }
      try {
        return await sendOnce(request, agent, peer);
      } catch (error) {
        throw error instanceof StaleConnection ? error.cause : error;
      }
    },
    destroy: () => {
      routed.destroy();
      direct.destroy();
    },
  };
}

class StaleConnection extends Error {}

async function sendOnce(request: HttpRequest, agent: Agent, peer: string): Promise<HttpAnswer> {
  const { url, method, signal } = request;
  signal.throwIfAborted();
  const pieces = piecesOf(request.body);
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const hasBody = pieces.length > 0 || method === "POST" || method === "PUT";
  const headers = { ...request.headers, ...(hasBody ? { "content-length": String(bytes) } : {}) };
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const outgoing = send(url, { method, headers, agent, signal });
  const timeoutMs = request.timeoutMs ?? answerTimeoutMs + bytes / slowestBytesPerMs;
  const timer = setTimeout(() => outgoing.destroy(timedOut(timeoutMs)), timeoutMs);
  outgoing.once("response", (body) => {
    clearTimeout(timer);
    resolve({ status: body.statusCode ?? 0, headers: body.headers, body });
  });
  // Stays for the time after the answer, when nobody waits for it any more: what cuts the body ends that itself.
  outgoing.on("error", (error) => {
    clearTimeout(timer);
    reject(describe(error, outgoing, request, peer));
  });
  outgoing.cork();
  for (const piece of pieces) outgoing.write(piece);
  outgoing.uncork();
  outgoing.end();
  return await promise;
}

function piecesOf(body: HttpRequest["body"]): readonly Uint8Array[] {
  if (body === undefined) return [];
  if (typeof body === "string") return [Buffer.from(body)];
  return body instanceof Uint8Array ? [body] : body;
}

function describe(error: Error, outgoing: ClientRequest, { signal, body }: HttpRequest, peer: string): unknown {
  if (signal.aborted) return signal.reason;
  const code = "code" in error ? error.code : undefined;
  // Node keeps the code of a network error but not always whom it was about.
  const described = Object.assign(new Error(error.message, { cause: error }), { code, hostname: peer });
  const isStale = outgoing.reusedSocket && body === undefined && (code === "ECONNRESET" || code === "EPIPE");
  return isStale ? new StaleConnection(error.message, { cause: described }) : described;
}

function timedOut(timeoutMs: number): Error {
  return Object.assign(new Error(`no answer within ${Math.round(timeoutMs / 1000)} s`), { code: "ETIMEDOUT" });
}
