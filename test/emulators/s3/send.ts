import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import { ConnectionGone, findFault, resetConnection } from "../faults.ts";
import type { Fault, Faults } from "../faults.ts";
import { readOpenSlice } from "../file-slice.ts";
import { InjectedError, writeWithFaults } from "../fault-body.ts";
import { document, element, leaf, XmlError } from "../xml.ts";
import type { Answer } from "./call.ts";
import { S3Error } from "./s3-error.ts";

/** A request and the answer to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly faults: Faults;
  readonly requestId: string;
}

/** Sends what an operation answered, with the faults that the request met. */
export async function sendAnswer(exchange: Exchange, answer: Answer, met: readonly Fault[]): Promise<void> {
  const { request, response, faults } = exchange;
  using file = answer.file;
  if (findFault(met, "lose-response") !== undefined) {
    resetConnection(request.socket);
    throw new ConnectionGone();
  }
  const lie = findFault(met, "lie-checksum") !== undefined;
  const body = answer.body === undefined ? undefined : Buffer.from(lie ? lieInXml(answer.body) : answer.body);
  const headers = { ...answer.headers };
  if (lie) lieInHeaders(headers);
  writeHead(exchange, answer.status ?? 200, body, headers);
  if (request.method === "HEAD" || response.statusCode === 304) {
    response.end();
    return;
  }
  const bytes = body === undefined ? readOpenSlice(file) : [body];
  await writeWithFaults(response, bytes, met, faults);
}

/** Sends an error as S3 does; a HEAD gets its status only. */
export async function sendError(exchange: Exchange, error: unknown, met: readonly Fault[]): Promise<void> {
  const { request, response, faults } = exchange;
  if (response.headersSent || response.destroyed || request.socket.destroyed) {
    response.destroy();
    return;
  }
  const known = toS3Error(error);
  const details = Object.entries(known.details).map(([name, value]) => leaf(name, value));
  const body = Buffer.from(
    document(
      element("Error", [
        leaf("Code", known.code),
        leaf("Message", known.message),
        ...details,
        leaf("RequestId", exchange.requestId),
        leaf("HostId", "stand-in"),
      ]),
    ),
  );
  writeHead(exchange, known.status, request.method === "HEAD" ? undefined : body, known.headers);
  if (request.method === "HEAD") response.end();
  else await writeWithFaults(response, [body], met, faults).catch(ignoreGone);
}

function toS3Error(error: unknown): S3Error | InjectedError {
  if (error instanceof S3Error || error instanceof InjectedError) return error;
  if (error instanceof XmlError) return new S3Error("MalformedXML");
  return new S3Error("InternalError", undefined, { details: { Cause: String(error) } });
}

function writeHead(
  exchange: Exchange,
  status: number,
  body: Buffer | undefined,
  headers: Readonly<Record<string, string | number | undefined>>,
): void {
  const { response } = exchange;
  response.statusCode = status;
  response.setHeader("x-amz-request-id", exchange.requestId);
  response.setHeader("x-amz-id-2", randomBytes(16).toString("base64"));
  response.setHeader("server", "AmazonS3");
  if (body !== undefined) {
    response.setHeader("content-type", "application/xml");
    response.setHeader("content-length", body.length);
  } else if (
    status !== 204 &&
    status !== 304 &&
    headers["content-length"] === undefined &&
    exchange.request.method !== "HEAD"
  ) {
    response.setHeader("content-length", 0);
  }
  for (const [name, value] of Object.entries(headers)) {
    // Metadata may be UTF-8; a header is written as Latin-1, so its bytes go out one by one.
    if (value !== undefined) response.setHeader(name, Buffer.from(String(value)).toString("latin1"));
  }
}

function lieInHeaders(headers: Record<string, string | number | undefined>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (/^x-amz-checksum-(?:crc|sha)/.test(name) && typeof value === "string") headers[name] = otherChecksum(value);
  }
}

function lieInXml(body: string): string {
  return body.replaceAll(
    /(<Checksum(?:CRC|SHA)\w+>)([^<]+)/g,
    (_, tag: string, value: string) => tag + otherChecksum(value),
  );
}

function otherChecksum(value: string): string {
  const [encoded = "", parts] = value.split("-");
  const bytes = Buffer.from(encoded, "base64");
  const other = Buffer.from(bytes.map((byte) => byte ^ 0xff)).toString("base64");
  return parts === undefined ? other : `${other}-${parts}`;
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof ConnectionGone)) throw error;
}
