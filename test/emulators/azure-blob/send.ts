import type { IncomingMessage, ServerResponse } from "node:http";

import { InjectedError, writeWithFaults } from "../fault-body.ts";
import { ConnectionGone, findFault, resetConnection } from "../faults.ts";
import type { Fault, Faults } from "../faults.ts";
import { readOpenSlice } from "../file-slice.ts";
import { document, element, leaf, XmlError } from "../xml.ts";
import { BlobError } from "./blob-error.ts";
import type { Answer } from "./call.ts";

/** A request and the answer to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly faults: Faults;
  readonly requestId: string;
}

// Azure begins its documents with one; a client that stumbles over it must do so here.
const byteOrderMark = "\uFEFF";

/** Sends what an operation answered, with the faults that the request met. */
export async function sendAnswer(exchange: Exchange, answer: Answer, met: readonly Fault[]): Promise<void> {
  const { request, response, faults } = exchange;
  using file = answer.file;
  if (findFault(met, "lose-response") !== undefined) {
    resetConnection(request.socket);
    throw new ConnectionGone();
  }
  const lies = findFault(met, "lie-checksum") !== undefined;
  const text = answer.body === undefined ? undefined : byteOrderMark + (lies ? lieInXml(answer.body) : answer.body);
  const body = text === undefined ? undefined : Buffer.from(text);
  const headers = { ...answer.headers };
  if (lies) lieInHeaders(headers);
  writeHead(exchange, answer.status ?? 200, body, headers);
  if (request.method === "HEAD") response.end();
  else await writeWithFaults(response, body === undefined ? readOpenSlice(file) : [body], met, faults);
}

/** Sends an error as Azure does; a HEAD and a 304 get their status and headers only. */
export async function sendError(exchange: Exchange, error: unknown, met: readonly Fault[]): Promise<void> {
  const { request, response, faults } = exchange;
  if (response.headersSent || response.destroyed || request.socket.destroyed) {
    response.destroy();
    return;
  }
  const known = toBlobError(error);
  const details = Object.entries(known.details).map(([name, value]) => leaf(name, value));
  const message = `${known.message}\nRequestId:${exchange.requestId}\nTime:${new Date().toISOString()}`;
  // Line breaks as they are: the SDK's parser does not resolve them as references.
  const said = leaf("Message", message).replaceAll("&#xa;", "\n");
  const text = document(element("Error", [leaf("Code", known.code), said, ...details]));
  const hasBody = request.method !== "HEAD" && known.status !== 304;
  const body = hasBody ? Buffer.from(byteOrderMark + text) : undefined;
  writeHead(exchange, known.status, body, { ...known.headers, "x-ms-error-code": known.code });
  if (body === undefined) response.end();
  else await writeWithFaults(response, [body], met, faults).catch(ignoreGone);
}

function toBlobError(error: unknown): BlobError | InjectedError {
  if (error instanceof BlobError || error instanceof InjectedError) return error;
  if (error instanceof XmlError) return new BlobError("InvalidXmlDocument");
  return new BlobError("InternalError", { Cause: String(error) });
}

function writeHead(
  exchange: Exchange,
  status: number,
  body: Buffer | undefined,
  headers: Readonly<Record<string, string | number | undefined>>,
): void {
  const { request, response } = exchange;
  response.statusCode = status;
  response.setHeader("server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0");
  response.setHeader("x-ms-request-id", exchange.requestId);
  for (const name of ["x-ms-version", "x-ms-client-request-id"]) {
    const value = request.headers[name];
    if (typeof value === "string") response.setHeader(name, value);
  }
  if (body !== undefined) {
    response.setHeader("content-type", "application/xml");
    response.setHeader("content-length", body.length);
  } else if (status !== 204 && status !== 304 && headers["content-length"] === undefined && request.method !== "HEAD") {
    response.setHeader("content-length", 0);
  }
  for (const [name, value] of Object.entries(headers)) {
    // Metadata may be UTF-8; a header is written as Latin-1, so its bytes go out one by one.
    if (value !== undefined) response.setHeader(name, Buffer.from(String(value)).toString("latin1"));
  }
}

function lieInHeaders(headers: Record<string, string | number | undefined>): void {
  for (const name of ["content-md5", "x-ms-blob-content-md5", "x-ms-content-crc64"]) {
    const value = headers[name];
    if (typeof value === "string") headers[name] = otherChecksum(value);
  }
}

function lieInXml(body: string): string {
  return body.replaceAll(/(<Content-MD5>)([^<]+)/g, (_, tag: string, value: string) => tag + otherChecksum(value));
}

function otherChecksum(value: string): string {
  const bytes = Buffer.from(value, "base64");
  return Buffer.from(bytes.map((byte) => byte ^ 0xff)).toString("base64");
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof ConnectionGone)) throw error;
}
