import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import * as fc from "fast-check";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";

import { fixtureName } from "../testing/fixture-path.ts";
import { FixtureProcess, putMessage } from "../testing/fixture-process.ts";
import { velero } from "../wire/index.ts";

const object = { bucket: "garbage", key: "k" };
let fixture: FixtureProcess;
let session: ClientHttp2Session;

before(async () => {
  fixture = new FixtureProcess();
  await fixture.initObjectStore({ bucket: object.bucket });
  const [, , , address = ""] = await fixture.handshake();
  session = connectHttp2("http://unused", { createConnection: () => connect(address) });
});
after(async () => {
  session.destroy();
  await fixture[Symbol.asyncDispose]();
});

/** Sends these bytes as the data of a put and answers the status. */
async function statusOf(pieces: readonly Uint8Array[]): Promise<number> {
  const stream = session.request({
    ":method": "POST",
    ":path": "/generated.ObjectStore/PutObject",
    "content-type": "application/grpc",
    te: "trailers",
  });
  const answered = Promise.withResolvers<number>();
  const look = (headers: IncomingHttpHeaders): void => {
    if (headers["grpc-status"] !== undefined) answered.resolve(Number(headers["grpc-status"]));
  };
  stream.on("response", look).on("trailers", look).on("error", answered.reject).resume();
  for (const piece of pieces) if (!stream.write(piece)) await once(stream, "drain");
  stream.end();
  return await answered.promise;
}

function framed(message: Uint8Array, lengthIs = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(lengthIs, 1);
  return Buffer.concat([prefix, message]);
}

const whole = toBinary(velero.PutObjectRequestSchema, putMessage(object, Buffer.from("body")));
const mebibytes = Array.from({ length: 12 }, () => Buffer.alloc(1024 ** 2));
/** A little less than 4 GiB, so that it fits the longest message. */
const hugeLength = Buffer.from([0x80, 0xfe, 0xff, 0xff, 0x0f]);

for (const [title, expected, pieces] of [
  ["a compressed message", status.INVALID_ARGUMENT, [Buffer.from([1, 0, 0, 0, 1, 0])]],
  ["no message but an end", status.INVALID_ARGUMENT, []],
  ["a message that says it is longer than what follows", status.CANCELLED, [framed(whole, whole.length + 1)]],
  ["a message that says it is shorter than it is", status.INVALID_ARGUMENT, [framed(whole, whole.length - 1)]],
  ["a whole message with a piece of the next", status.CANCELLED, [framed(whole), Buffer.from([0, 0])]],
  [
    "names of many MiB",
    status.INVALID_ARGUMENT,
    [framed(Buffer.from([0x1a, ...hugeLength]), 2 ** 32 - 1), ...mebibytes],
  ],
  [
    "a body of 4 GiB before its names",
    status.INVALID_ARGUMENT,
    [framed(Buffer.from([0x22, ...hugeLength]), 2 ** 32 - 1), ...mebibytes],
  ],
  [
    "an unknown field of 4 GiB that never ends",
    status.CANCELLED,
    [framed(Buffer.from([0x7a, ...hugeLength]), 2 ** 32 - 1), ...mebibytes],
  ],
  [
    "a body of 4 GiB that never ends",
    status.CANCELLED,
    [framed(Buffer.concat([whole.subarray(0, -6), Buffer.from([0x22, ...hugeLength])]), 2 ** 32 - 1), ...mebibytes],
  ],
] as const)
  test(`${title} is refused, and nothing is stored`, async () => {
    assert.equal(await statusOf(pieces), expected);
    const { exists } = await fixture.call(velero.ObjectStore.method.objectExists, {
      plugin: fixtureName,
      ...object,
    });
    assert.equal(exists, false);
  });

test("bytes of any kind never end the process, and are never a put of the object", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 4 }), async (pieces) => {
      assert.notEqual(await statusOf(pieces), status.OK);
    }),
    { numRuns: 200 },
  );

  assert.equal(await statusOf([framed(whole)]), status.OK);
  assert.equal(Buffer.concat(await fixture.get(object)).toString(), "body");
});
