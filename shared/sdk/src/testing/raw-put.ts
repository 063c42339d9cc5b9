import { once } from "node:events";
import { createConnection } from "node:net";
import { toBinary } from "@bufbuild/protobuf";
import type { Socket } from "node:net";

import { velero } from "../wire/index.ts";

const frameTypes = { data: 0x0, headers: 0x1, rstStream: 0x3, settings: 0x4 } as const;
const endHeaders = 0x4;
const cancelCode = 8;

/**
 * A put made of single HTTP/2 frames, as grpc-go sends them. Node's client cannot take its place: before it resets a
 * stream it ends it, so its reset looks like a complete put that was cancelled too late.
 */
export class RawPut implements Disposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects to a unix socket's path, or to `host:port`, and opens the stream. */
  static async open(address: string): Promise<RawPut> {
    const [, host = "", port = ""] = /^([^/]+):(\d+)$/.exec(address) ?? [];
    const socket = host === "" ? createConnection(address) : createConnection(Number(port), host);
    await once(socket, "connect");
    socket.on("error", () => {}).resume();
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(frame(frameTypes.settings, 0, 0, Buffer.alloc(0)));
    const headers = {
      ":method": "POST",
      ":scheme": "http",
      ":path": "/generated.ObjectStore/PutObject",
      ":authority": "unused",
      "content-type": "application/grpc",
      te: "trailers",
    };
    const block = Buffer.concat(Object.entries(headers).map(([name, value]) => literalHeader(name, value)));
    socket.write(frame(frameTypes.headers, endHeaders, 1, block));
    return new RawPut(socket);
  }

  /** Sends messages and, in the same write, resets the stream as a host does that gives up. */
  sendAndReset(messages: readonly velero.PutObjectRequest[]): void {
    this.#socket.write(Buffer.concat([...messages.map(dataFrame), resetFrame()]));
  }

  /** Sends messages. */
  send(messages: readonly velero.PutObjectRequest[]): void {
    this.#socket.write(Buffer.concat(messages.map(dataFrame)));
  }

  /** Resets the stream. */
  reset(): void {
    this.#socket.write(resetFrame());
  }

  /** Breaks the connection off, as the kernel does for a host that was killed. */
  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

function dataFrame(message: velero.PutObjectRequest): Buffer {
  const encoded = toBinary(velero.PutObjectRequestSchema, message);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(encoded.length, 1);
  return frame(frameTypes.data, 0, 1, Buffer.concat([prefix, encoded]));
}

function resetFrame(): Buffer {
  const code = Buffer.alloc(4);
  code.writeUInt32BE(cancelCode);
  return frame(frameTypes.rstStream, 0, 1, code);
}

function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** HPACK's literal form without indexing, which needs no table. */
function literalHeader(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}
