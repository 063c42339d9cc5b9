import assert from "node:assert/strict";
import { test } from "node:test";

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";

import { BytesMessage } from "./bytes-codec.ts";
import { BytesSchema } from "./gen/velero/generated_pb.ts";

test("any bytes appended in any chunks encode as the generated codec encodes them", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }), (chunks) => {
      const whole = Buffer.concat(chunks);
      const message = new BytesMessage(4000);

      for (const chunk of chunks) message.append(chunk);

      const expected = toBinary(BytesSchema, create(BytesSchema, { data: whole }));
      assert.deepEqual(new Uint8Array(message.encode()), new Uint8Array(expected));
    }),
  );
});

for (const sizeBytes of [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152]) {
  test(`${sizeBytes} bytes survive the generated decoder`, () => {
    const message = new BytesMessage(Math.max(1, sizeBytes));

    message.append(Buffer.alloc(sizeBytes, 7));

    const decoded = fromBinary(BytesSchema, message.encode());
    assert.deepEqual(Buffer.from(decoded.data), Buffer.alloc(sizeBytes, 7));
  });
}

test("a full message takes no more", () => {
  const message = new BytesMessage(4);

  const taken = [
    message.append(Buffer.from("abc")),
    message.append(Buffer.from("def")),
    message.append(Buffer.from("g")),
  ];

  assert.deepEqual(taken, [3, 1, 0]);
  assert.equal(message.isFull, true);
});
