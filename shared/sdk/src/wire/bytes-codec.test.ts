import assert from "node:assert/strict";
import { test } from "node:test";

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";

import { BytesMessage } from "./bytes-codec.ts";
import { BytesSchema } from "./gen/velero/generated_pb.ts";

const headroomBytes = 16;

function contentOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const memory = Buffer.alloc(headroomBytes + bytes.byteLength, 0xee).buffer;
  const content = new Uint8Array(memory, headroomBytes);
  content.set(bytes);
  return content;
}

test("any bytes encode as the generated codec encodes them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const message = new BytesMessage(contentOf(bytes));

      const expected = toBinary(BytesSchema, create(BytesSchema, { data: bytes }));
      assert.deepEqual(new Uint8Array(message.encode()), new Uint8Array(expected));
    }),
  );
});

for (const sizeBytes of [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152]) {
  test(`${sizeBytes} bytes survive the generated decoder`, () => {
    const message = new BytesMessage(contentOf(Buffer.alloc(sizeBytes, 7)));

    const decoded = fromBinary(BytesSchema, message.encode());

    assert.deepEqual(Buffer.from(decoded.data), Buffer.alloc(sizeBytes, 7));
  });

  test(`${sizeBytes} bytes are framed with gRPC's prefix, uncompressed and of their length`, () => {
    const message = new BytesMessage(contentOf(Buffer.alloc(sizeBytes, 7)));

    const frame = message.frame();

    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(frame.byteLength - 5, 1);
    assert.deepEqual(frame.subarray(0, 5), prefix);
    assert.deepEqual(frame.subarray(5), message.encode());
  });
}

test("nothing but the header's place is written to", () => {
  const content = contentOf(Buffer.from("content"));

  new BytesMessage(content).frame();

  assert.deepEqual(Buffer.from(content.buffer, 0, headroomBytes - 7), Buffer.alloc(headroomBytes - 7, 0xee));
  assert.equal(Buffer.from(content).toString(), "content");
});

test("content without room before it is refused", () => {
  assert.throws(() => new BytesMessage(new Uint8Array(10)), RangeError);
});
