import { Agent, createServer, request as forward } from "node:http";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Agent as TlsAgent, createServer as createTlsServer, request as forwardOverTls } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { TLSSocket } from "node:tls";

import { FaultyBody, isMetBy } from "./body-fault.ts";
import type { BodyFault } from "./body-fault.ts";
import type { Direction } from "./fault-proxy.ts";
import type { EndpointTls } from "../target/target.ts";

/** A request on its way to the store. */
export interface PassingRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** How many requests came before it. */
  readonly index: number;
}

/** An answer that the store did not give. */
export interface Refusal {
  readonly kind: "refuse";
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What becomes of one request: it passes, its body or the answer's meets a fault, or it is answered here. */
export type Verdict = undefined | Refusal | BodyFault;

/** A proxy that reads HTTP, for faults of single requests and for those that a cable cannot have: status storms. */
export interface HttpFaultProxy {
  readonly port: number;
  readonly requests: readonly PassingRequest[];
  /** How many faults took place. */
  readonly hits: number;
  /** Judges each request from now on. */
  judge(judge: (request: PassingRequest) => Verdict): void;
  close(): Promise<void>;
}

/** Where the store is. */
export interface StoreAddress {
  readonly host: string;
  readonly port: number;
  /** Names the store in the Host header, where it is no part of the signature and decides the route. Default: false. */
  readonly routesByHost?: boolean | undefined;
  /** What the store shows over TLS, and the proxy in its place. Default: both speak plain HTTP. */
  readonly tls?: EndpointTls | undefined;
}

/** Starts one in front of an HTTP server. Requests are passed on as they are, the Host header included. */
export async function startHttpFaultProxy(target: StoreAddress): Promise<HttpFaultProxy> {
  const requests: PassingRequest[] = [];
  let judgement: (request: PassingRequest) => Verdict = () => undefined;
  let hits = 0;
  const hit = (): void => void (hits += 1);
  // Of its own, so that its connections end with it.
  const { tls } = target;
  const agent = tls === undefined ? new Agent({ keepAlive: true }) : new TlsAgent({ keepAlive: true, ca: tls.cert });
  const listener: RequestListener = (incoming, outgoing) => {
    const { method = "", url: path = "", headers } = incoming;
    const request = { method, path, headers, index: requests.length };
    requests.push(request);
    const verdict = judgement(request);
    if (verdict?.kind === "refuse") {
      hit();
      refuse(incoming, outgoing, verdict);
    } else new Exchange({ incoming, outgoing, fault: verdict, hit }).pass(target, agent);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer({ ...tls }, listener);
  // A client that stalls is what some tests are about.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    requests,
    get hits() {
      return hits;
    },
    judge: (judge) => {
      judgement = judge;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, { status, headers, body }: Refusal): void {
  // Read to its end first: an answer in the middle of a body looks like a cut connection to many clients.
  incoming.resume();
  incoming.once("end", () => {
    outgoing.writeHead(status, headers);
    outgoing.end(incoming.method === "HEAD" ? undefined : body);
  });
}

interface ExchangeOptions {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly fault: BodyFault | undefined;
  readonly hit: () => void;
}

/** One request and its answer. */
class Exchange {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #fault: BodyFault | undefined;
  readonly #hit: () => void;

  constructor({ incoming, outgoing, fault, hit }: ExchangeOptions) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#fault = fault;
    this.#hit = hit;
  }

  pass({ host, port, routesByHost, tls }: StoreAddress, agent: Agent): void {
    const incoming = this.#incoming;
    if (this.#isBefore("up", incoming)) {
      this.#hit();
      if (this.#fault?.kind === "cut") breakOff(incoming.socket);
      return;
    }
    const { method, url: path } = incoming;
    const headers = pairs(incoming.rawHeaders);
    if (routesByHost === true) headers[nameIn(headers, "host")] = `${host}:${port}`;
    const options = { host, port, method, path, headers, agent, setDefaultHeaders: false };
    const onward = tls === undefined ? forward(options) : forwardOverTls(options);
    onward.once("response", (answer) => {
      const { location } = answer.headers;
      const own = incoming.headers.host ?? "";
      // The next request of an upload must come this way, too.
      const moved = routesByHost === true ? location?.replace(`//${host}:${port}`, `//${own}`) : undefined;
      this.#answer(answer, moved);
    });
    // The store's fault becomes the client's.
    onward.once("error", () => this.#outgoing.destroy());
    this.#outgoing.once("close", () => onward.destroy());
    this.#carry("up", incoming, onward, () => this.#breakUp(onward));
  }

  #answer(answer: IncomingMessage, moved: string | undefined): void {
    const outgoing = this.#outgoing;
    answer.once("error", () => outgoing.destroy());
    if (this.#isBefore("down", answer)) {
      this.#hit();
      this.#breakDown();
      return;
    }
    const headers = pairs(answer.rawHeaders);
    if (moved !== undefined) headers[nameIn(headers, "location")] = moved;
    outgoing.writeHead(answer.statusCode ?? 502, headers);
    this.#carry("down", answer, outgoing, () => {
      // Only once what came before is on its way.
      outgoing.write("", () => setTimeout(() => this.#breakDown(), 5));
    });
  }

  /** Whether the fault takes place before anything passes, so that bodies of no length meet it too. */
  #isBefore(direction: Direction, body: IncomingMessage): boolean {
    const fault = this.#faultOf(direction, body);
    return fault?.at === 0 && fault.kind !== "corrupt";
  }

  #faultOf(direction: Direction, { headers }: IncomingMessage): BodyFault | undefined {
    const fault = this.#fault;
    return fault?.direction === direction && isMetBy(fault, headers["content-length"]) ? fault : undefined;
  }

  #carry(direction: Direction, from: IncomingMessage, to: Writable, onReached: () => void): void {
    const fault = this.#faultOf(direction, from);
    if (fault === undefined) {
      from.pipe(to);
      return;
    }
    const faulty: Readable & Writable = new FaultyBody(fault, () => {
      this.#hit();
      if (fault.kind !== "corrupt") onReached();
    });
    from.pipe(faulty).pipe(to);
  }

  #breakUp(onward: ClientRequest): void {
    if (this.#fault?.kind === "stall") return;
    // The store learns of it as it would of a cut cable, once it has what came before.
    onward.write("", () => setTimeout(() => onward.destroy(), 5));
    breakOff(this.#incoming.socket);
  }

  #breakDown(): void {
    if (this.#fault?.kind === "cut") breakOff(this.#incoming.socket);
    if (this.#fault?.kind === "end") this.#incoming.socket.end();
  }
}

/** Ends a connection as a cut cable does; one over TLS cannot be reset, but ends without a word all the same. */
function breakOff(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

/** As it was sent, for stores that care about its case. */
function nameIn(headers: Readonly<Record<string, unknown>>, name: string): string {
  return Object.keys(headers).find((sent) => sent.toLowerCase() === name) ?? name;
}

function pairs(raw: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const [name = "", value = ""] = raw.slice(i, i + 2);
    const former = headers[name];
    headers[name] = former === undefined ? value : [former, value].flat();
  }
  return headers;
}
