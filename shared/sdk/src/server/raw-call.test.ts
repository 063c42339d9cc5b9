import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import type { sendUnaryData, ServerReadableStream, ServerWritableStream } from "@grpc/grpc-js";

import { receiveFramed, sendFramed } from "./raw-call.ts";
import type { FramedMessage } from "./raw-call.ts";

const paths = { send: "/test.Raw/Send", receive: "/test.Raw/Receive" };
const plain = (bytes: Buffer): Buffer => bytes;
const refuse = (): never => {
  throw new Error("the library's own way was taken: see raw-call.ts");
};

let server: Server;
let client: Client;

before(async () => {
  server = new Server();
  const common = {
    requestSerialize: plain,
    requestDeserialize: plain,
    responseSerialize: plain,
    responseDeserialize: plain,
  };
  server.addService(
    {
      send: { ...common, path: paths.send, requestStream: false, responseStream: true, responseSerialize: refuse },
      receive: {
        ...common,
        path: paths.receive,
        requestStream: true,
        responseStream: false,
        requestDeserialize: refuse,
      },
    },
    {
      send: (wire: ServerWritableStream<Buffer, FramedMessage>) => {
        sendFramed(wire);
        for (const text of ["first", "", "third"]) wire.write({ frame: () => framed(text) });
        wire.end();
      },
      receive: (wire: ServerReadableStream<Buffer, Buffer>, respond: sendUnaryData<Buffer>) => {
        const received: Buffer[] = [];
        const tap = receiveFramed(wire, (data) => {
          received.push(Buffer.from(data));
          tap.pause();
          setImmediate(() => tap.resume());
        });
        wire.on("end", () => respond(null, Buffer.concat(received)));
        wire.resume();
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
});

after(() => {
  client.close();
  server.forceShutdown();
});

function framed(text: string): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(text.length, 1);
  return Buffer.concat([prefix, Buffer.from(text)]);
}

test("messages reach a gRPC client as they framed themselves, without the library's copy", async () => {
  const received = await client.makeServerStreamRequest(paths.send, plain, plain, Buffer.alloc(0)).toArray();

  assert.deepEqual(received.map(String), ["first", "", "third"]);
});

test("the messages of a gRPC client arrive framed, past the library's decoder, and end with the stream", async () => {
  const texts = ["first", "", "x".repeat(300_000), "last"];

  const received = await new Promise<Buffer | undefined>((resolve, reject) => {
    const stream = client.makeClientStreamRequest<Buffer, Buffer>(paths.receive, plain, plain, (error, answer) =>
      error === null ? resolve(answer) : reject(error),
    );
    for (const text of texts) stream.write(Buffer.from(text));
    stream.end();
  });

  assert.ok(received?.equals(Buffer.concat(texts.map(framed))));
});

test("calls of an unknown make are refused by name", () => {
  assert.throws(() => sendFramed({}), /no "call"/);
  assert.throws(() => sendFramed({ call: {} }), /no "serializeMessage"/);
  assert.throws(() => receiveFramed({ call: {} }, () => {}), /no "stream"/);
});
