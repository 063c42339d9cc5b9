import type { IncomingMessage, ServerResponse } from "node:http";

import type { Fault, Faults } from "./faults.ts";
import { ConnectionGone, findFault, resetConnection } from "./faults.ts";

/** An error that a test asked for, with any code. */
export class InjectedError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, string>> = {};
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message = "This error was asked for.",
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "InjectedError";
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Meets the faults that come before a request is looked at: waits, or throws what is to be answered instead. */
export async function meetFaults(met: readonly Fault[]): Promise<void> {
  const delay = findFault(met, "delay");
  if (delay !== undefined) await new Promise((resolve) => void setTimeout(resolve, delay.ms));
  const error = findFault(met, "error");
  if (error !== undefined) throw new InjectedError(error.status, error.code, error.message, error.headers);
  const late = findFault(met, "error-in-200");
  if (late !== undefined) throw new InjectedError(200, late.code, late.message);
}

/** Reads the body of a request, with the faults that this request met. */
export async function* readWithFaults(
  request: IncomingMessage,
  met: readonly Fault[],
  faults: Faults,
): AsyncGenerator<Buffer> {
  const cut = findFault(met, "cut-request");
  const stall = findFault(met, "stall-request");
  const limit = Math.min(cut?.afterBytes ?? Infinity, stall?.afterBytes ?? Infinity);
  let seen = 0;
  // Leaving the plain iteration early would end the connection politely, before the fault can.
  for await (const data of request.iterator({ destroyOnReturn: false })) {
    // A request without an encoding yields Buffers; node types them as any.
    const chunk = data as Buffer;
    seen += chunk.length;
    if (seen >= limit) break;
    yield chunk;
  }
  if (seen < limit) return;
  if (stall !== undefined) await faults.stall(request.socket, stall);
  resetConnection(request.socket);
  throw new ConnectionGone();
}

/** Writes the body of an answer and ends it, with the faults that the request met. */
export async function writeWithFaults(
  response: ServerResponse,
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  met: readonly Fault[],
  faults: Faults,
): Promise<void> {
  const cut = findFault(met, "cut-response");
  const stall = findFault(met, "stall-response");
  const corrupt = findFault(met, "corrupt-response");
  const limit = Math.min(cut?.afterBytes ?? Infinity, stall?.afterBytes ?? Infinity);
  const hold = findFault(met, "hold-response");
  if (hold !== undefined) {
    response.flushHeaders();
    await hold.until;
  }
  let sent = 0;
  for await (const chunk of body) {
    const bytes = corrupt === undefined ? chunk : flipByte(chunk, corrupt.atByte - sent);
    const last = sent + bytes.length >= limit;
    await write(response, last ? bytes.subarray(0, limit - sent) : bytes);
    sent += bytes.length;
    if (last) break;
  }
  if (sent < limit) {
    response.end();
    return;
  }
  response.flushHeaders();
  const { socket } = response;
  if (socket === null) throw new ConnectionGone();
  if (stall !== undefined) await faults.stall(socket, stall);
  // A reset would throw away what is still in the client's receive buffer; an early end leaves exactly `limit` bytes.
  socket.destroySoon();
  throw new ConnectionGone();
}

async function write(response: ServerResponse, chunk: Buffer): Promise<void> {
  if (response.destroyed) throw new ConnectionGone();
  if (chunk.length === 0 || response.write(chunk)) return;
  await new Promise<void>((resolve, reject) => {
    const onDrain = (): void => {
      response.off("close", onClose);
      resolve();
    };
    const onClose = (): void => {
      response.off("drain", onDrain);
      reject(new ConnectionGone());
    };
    response.once("drain", onDrain);
    response.once("close", onClose);
  });
}

/** The chunk with one bit changed at a position, if that lies within. */
export function flipByte(chunk: Buffer, at: number): Buffer {
  if (at < 0 || at >= chunk.length) return chunk;
  const copy = Buffer.from(chunk);
  copy.writeUInt8(copy.readUInt8(at) ^ 0x01, at);
  return copy;
}
