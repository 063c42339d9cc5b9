import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { loopbackCertificate } from "./loopback-certificate.ts";

/** A request as a stub server saw it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What a stub server answers. */
export interface StubAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Leaves the length out. */
  readonly isChunked?: boolean;
}

/** A running stub server. */
export interface StubServer {
  readonly url: URL;
  readonly seen: readonly SeenRequest[];
}

/** Starts an HTTP server on loopback that answers what the test says, and ends with the test. */
export async function startStubServer(
  t: TestContext,
  answer: (request: SeenRequest) => StubAnswer,
  scheme: "http" | "https" = "http",
): Promise<StubServer> {
  const seen: SeenRequest[] = [];
  const listener: RequestListener = (request, response) => {
    void respond(request, response, (one) => {
      seen.push(one);
      return answer(one);
    });
  };
  const server = scheme === "https" ? createTlsServer(loopbackCertificate, listener) : createServer(listener);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`${scheme}://127.0.0.1:${port}`), seen };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: SeenRequest) => StubAnswer,
): Promise<void> {
  const { method = "", url = "", headers } = request;
  const sent: Buffer[] = await request.toArray();
  const { status = 200, body = "", ...rest } = answer({ method, url, headers, body: Buffer.concat(sent) });
  const length = rest.isChunked === true ? {} : { "content-length": String(Buffer.byteLength(body)) };
  response.writeHead(status, { ...length, ...rest.headers }).end(method === "HEAD" ? undefined : body);
}
