import type { IncomingMessage, ServerResponse } from "node:http";

import { InjectedError, writeWithFaults } from "../fault-body.ts";
import { ConnectionGone, findFault, resetConnection } from "../faults.ts";
import type { Fault, Faults } from "../faults.ts";
import { readSlice } from "../file-slice.ts";
import { document, element, leaf } from "../xml.ts";
import type { Answer } from "./call.ts";
import { GcsError, writeJsonError } from "./gcs-error.ts";

/** A request and the answer to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly faults: Faults;
  readonly isXml: boolean;
  /** Whether the content of an object was asked for: its errors are plain text. */
  readonly isMedia: boolean;
}

/** Sends what an operation answered, with the faults that the request met. */
export async function sendAnswer(exchange: Exchange, answer: Answer, met: readonly Fault[]): Promise<void> {
  const { request, response, faults } = exchange;
  if (findFault(met, "lose-response") !== undefined) {
    resetConnection(request.socket);
    throw new ConnectionGone();
  }
  const lies = findFault(met, "lie-checksum") !== undefined;
  const headers = { ...answer.headers };
  const hash = headers["x-goog-hash"];
  if (lies && typeof hash === "string") headers["x-goog-hash"] = lieInHeader(hash);
  const text =
    answer.json === undefined ? answer.text : JSON.stringify(lies ? lieInJson(answer.json) : answer.json, null, 1);
  const body = text === undefined ? undefined : Buffer.from(text);
  if (body !== undefined) {
    headers["content-type"] ??= "application/json; charset=UTF-8";
    headers["content-length"] = body.length;
  }
  writeHead(response, answer.status ?? 200, headers);
  const source = body === undefined ? storedBytes(answer) : [body];
  if (request.method === "HEAD" || answer.status === 204) response.end();
  else await writeWithFaults(response, source, met, faults);
}

function storedBytes({ stream, file }: Answer): AsyncIterable<Buffer> | Iterable<Buffer> {
  return stream ?? (file === undefined ? [] : readSlice(file));
}

/** Sends an error as the API that was asked does. */
export async function sendError(exchange: Exchange, error: unknown, met: readonly Fault[]): Promise<void> {
  const { request, response, faults } = exchange;
  if (response.headersSent || response.destroyed || request.socket.destroyed) {
    response.destroy();
    return;
  }
  const known = toGcsError(error);
  const hasBody = request.method !== "HEAD" && known.status !== 304 && known.status !== 204;
  const { type, text } = writeError(exchange, known);
  const body = hasBody ? Buffer.from(text) : undefined;
  const sent = body === undefined ? {} : { "content-type": type, "content-length": body.length };
  writeHead(response, known.status, { ...known.headers, ...sent });
  if (body === undefined) response.end();
  else await writeWithFaults(response, [body], met, faults).catch(ignoreGone);
}

function writeError({ isXml, isMedia }: Exchange, error: GcsError): { readonly type: string; readonly text: string } {
  const { status, reason, message, place } = error;
  if (isXml) {
    const code = error.xmlCode ?? xmlCodes[status] ?? reason;
    const children = [leaf("Code", code), leaf("Message", xmlMessages[code] ?? message), leaf("Details", message)];
    return { type: "application/xml; charset=UTF-8", text: document(element("Error", children)) };
  }
  if (isMedia) return { type: "text/html; charset=UTF-8", text: message };
  return { type: "application/json; charset=UTF-8", text: writeJsonError(status, reason, message, place) };
}

const xmlCodes: Readonly<Record<number, string>> = {
  400: "InvalidArgument",
  401: "AuthenticationRequired",
  403: "AccessDenied",
  404: "NoSuchKey",
  500: "InternalError",
  503: "ServiceUnavailable",
};
const xmlMessages: Readonly<Record<string, string>> = {
  NoSuchKey: "The specified key does not exist.",
  NoSuchBucket: "The specified bucket does not exist.",
  AccessDenied: "Access denied.",
  ExpiredToken: "The provided token has expired.",
};

function toGcsError(error: unknown): GcsError {
  if (error instanceof GcsError) return error;
  if (error instanceof InjectedError) {
    return new GcsError(error.status, error.code, error.message, { headers: error.headers, xmlCode: error.code });
  }
  return new GcsError(500, "internalError", `Internal error: ${String(error)}`);
}

function writeHead(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string | number | undefined>>,
): void {
  response.statusCode = status;
  response.setHeader("server", "UploadServer");
  for (const [name, value] of Object.entries(headers)) {
    // Metadata may be UTF-8; a header is written as Latin-1, so its bytes go out one by one.
    if (value !== undefined) response.setHeader(name, Buffer.from(String(value)).toString("latin1"));
  }
}

function lieInHeader(value: string): string {
  return value
    .split(",")
    .map((part) => part.replace(/=(.*)$/, (_, hash: string) => `=${otherHash(hash)}`))
    .join(",");
}

function lieInJson(json: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(json).map(([name, value]): [string, unknown] => {
    const isHash = name === "crc32c" || name === "md5Hash";
    return [name, isHash && typeof value === "string" ? otherHash(value) : value];
  });
  return Object.fromEntries(entries);
}

function otherHash(value: string): string {
  return Buffer.from(Buffer.from(value, "base64").map((byte) => byte ^ 0xff)).toString("base64");
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof ConnectionGone)) throw error;
}
