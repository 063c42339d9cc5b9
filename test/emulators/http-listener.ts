import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

/** Certificate and key in PEM. */
export interface TlsFiles {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** A server on loopback. */
export interface Listener {
  readonly url: string;
  readonly port: number;
  /** Ends all connections at once and frees the port. */
  close(): Promise<void>;
}

/** Answers one request; `askForBody` sends the interim "100 Continue" where the client waits for it. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse, askForBody: () => void) => void;

/** Listens on 127.0.0.1 and hands each request to the handler. */
export async function listen(
  handler: RequestHandler,
  options: { readonly port?: number | undefined; readonly tls?: TlsFiles | undefined },
): Promise<Listener> {
  const { tls } = options;
  const settings = { keepAliveTimeout: 60_000, requestTimeout: 0, maxHeaderSize: 65_536, noDelay: true };
  const server: Server = tls === undefined ? createHttpServer(settings) : createHttpsServer({ ...settings, ...tls });
  server.on("request", (request, response) => handler(request, response, () => {}));
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) =>
    handler(request, response, () => response.writeContinue()),
  );
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  // A listening TCP server has an address of this form; null and strings belong to closed servers and pipes.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Collects a request's headers: lower-case names, repeated ones joined, empty ones kept. */
export function headersOf(request: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] ?? "").toLowerCase();
    // Headers arrive as Latin-1; clients send names and metadata in UTF-8 and sign those bytes.
    const value = Buffer.from(request.rawHeaders[i + 1] ?? "", "latin1").toString("utf8");
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

/** Splits a request target into the raw path and the decoded query pairs. */
export function splitTarget(target: string): { rawPath: string; query: (readonly [string, string])[] } {
  const at = target.indexOf("?");
  const rawPath = at === -1 ? target : target.slice(0, at);
  const pairs = at === -1 ? [] : target.slice(at + 1).split("&");
  const query = pairs
    .filter((pair) => pair !== "")
    .map((pair): readonly [string, string] => {
      const equals = pair.indexOf("=");
      const name = equals === -1 ? pair : pair.slice(0, equals);
      const value = equals === -1 ? "" : pair.slice(equals + 1);
      return [decodeQuery(name), decodeQuery(value)];
    });
  return { rawPath, query };
}

function decodeQuery(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}
