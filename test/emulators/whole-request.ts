import type { IncomingMessage, ServerResponse } from "node:http";

import { meetFaults, readWithFaults, writeWithFaults } from "./fault-body.ts";
import { ConnectionGone, Faults, findFault, resetConnection } from "./faults.ts";
import type { Fault, RequestFacts } from "./faults.ts";
import { headersOf, splitTarget } from "./http-listener.ts";
import type { RequestLog } from "./request-log.ts";

/** A request with its whole body: what APIs need whose requests are small. */
export interface WholeRequest {
  readonly method: string;
  readonly rawPath: string;
  /** Without escapes. */
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** An answer with its whole body. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An API whose requests and answers are small. */
export interface WholeService {
  readonly faults: Faults;
  readonly log: RequestLog;
  /** Tells what a request asks for, for the faults and the log. */
  readonly describe: (request: WholeRequest) => RequestFacts;
  readonly answer: (request: WholeRequest, facts: RequestFacts) => WholeAnswer | Promise<WholeAnswer>;
  /** Puts what was thrown, by `answer` or by a fault, into the words of the API. */
  readonly refuse: (error: unknown, facts: RequestFacts) => WholeAnswer;
}

const maxBodyBytes = 1024 * 1024;

/** Answers one request, with the faults that it meets. */
export async function serveWhole(
  service: WholeService,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(incoming).catch(() => undefined);
  if (body === undefined) {
    incoming.socket.destroy();
    return;
  }
  const request = readRequest(incoming, body);
  if (request === undefined) {
    response.writeHead(400).end();
    return;
  }
  const facts = service.describe(request);
  const entry = service.log.add(facts);
  const met = service.faults.take(facts);
  response.once("close", () => {
    if (response.headersSent) entry.status = response.statusCode;
  });
  let answer: WholeAnswer;
  try {
    await meetBodyFaults(service.faults, incoming, met, body.length);
    await meetFaults(met);
    answer = await service.answer(request, facts);
  } catch (error) {
    if (error instanceof ConnectionGone) return;
    answer = service.refuse(error, facts);
  }
  await send(service.faults, incoming, response, answer, met).catch(ignoreGone);
}

// Undefined where an escape in the address stands for nothing.
function readRequest(incoming: IncomingMessage, body: Buffer): WholeRequest | undefined {
  try {
    const { rawPath, query } = splitTarget(incoming.url ?? "/");
    const path = decodeURIComponent(rawPath);
    return { method: incoming.method ?? "GET", rawPath, path, query, headers: headersOf(incoming), body };
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const data of readWithFaults(request, [], new Faults())) {
    size += data.length;
    if (size > maxBodyBytes) throw new Error("the request is too large");
    chunks.push(data);
  }
  return Buffer.concat(chunks);
}

// The body is read before it is known what is asked for, so a fault in it shows as soon as it is known.
async function meetBodyFaults(
  faults: Faults,
  request: IncomingMessage,
  met: readonly Fault[],
  size: number,
): Promise<void> {
  const stall = findFault(met, "stall-request");
  const cut = findFault(met, "cut-request");
  if (stall !== undefined && stall.afterBytes <= size) await faults.stall(request.socket, stall);
  if (cut === undefined || cut.afterBytes > size) return;
  resetConnection(request.socket);
  throw new ConnectionGone();
}

async function send(
  faults: Faults,
  request: IncomingMessage,
  response: ServerResponse,
  answer: WholeAnswer,
  met: readonly Fault[],
): Promise<void> {
  if (findFault(met, "lose-response") !== undefined) {
    resetConnection(request.socket);
    return;
  }
  const body = Buffer.from(answer.body);
  const length = answer.status === 204 ? {} : { "content-length": body.length };
  response.writeHead(answer.status, { ...answer.headers, ...length });
  await writeWithFaults(response, [body], met, faults);
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof ConnectionGone)) throw error;
}
