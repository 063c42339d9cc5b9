import assert from "node:assert/strict";
import { test } from "node:test";

import { create, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";

import { PutObjectRequestSchema } from "./gen/velero/generated_pb.ts";
import { PutDecoder } from "./put-decoder.ts";

function frameOf(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

function encode(fields: { plugin: string; bucket: string; key: string; body: Uint8Array }): Buffer {
  return frameOf(toBinary(PutObjectRequestSchema, create(PutObjectRequestSchema, fields)));
}

function decode(pieces: readonly Uint8Array[]): { decoder: PutDecoder; body: Buffer } {
  const bodies: Buffer[] = [];
  const decoder = new PutDecoder((bytes) => void bodies.push(Buffer.from(bytes)));
  for (const piece of pieces) decoder.write(piece);
  return { decoder, body: Buffer.concat(bodies) };
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const cuts = [
    0,
    ...at.map((share) => Math.floor(share * bytes.byteLength)).toSorted((a, b) => a - b),
    bytes.byteLength,
  ];
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

const text = fc.string({ unit: "binary", maxLength: 200 });
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

test("what the generated codec encodes is decoded the same, however the stream is cut", () => {
  fc.assert(
    fc.property(
      text,
      text,
      text,
      fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      cuts,
      (...made) => {
        const [plugin, bucket, key, bodies, places] = made;
        const stream = Buffer.concat(bodies.map((body) => encode({ plugin, bucket, key, body })));

        const { decoder, body } = decode(cut(stream, places));

        assert.deepEqual(decoder.target, { plugin, bucket, key });
        assert.ok(body.equals(Buffer.concat(bodies)));
        assert.equal(decoder.isLastEmpty, bodies.at(-1)?.byteLength === 0);
        assert.equal(decoder.isBetweenMessages, true);
      },
    ),
  );
});

test("a stream of single bytes is decoded the same", () => {
  const stream = Buffer.concat(
    [1, 2].map((n) => encode({ plugin: "p", bucket: "b", key: "k", body: Buffer.alloc(300, n) })),
  );

  const { body } = decode([...stream].map((byte) => Buffer.from([byte])));

  assert.ok(body.equals(Buffer.concat([Buffer.alloc(300, 1), Buffer.alloc(300, 2)])));
});

test("the first message says whose object it is; what later ones say is not looked at", () => {
  const first = encode({ plugin: "p", bucket: "b", key: "first", body: Buffer.from("1") });
  const later = encode({ plugin: "q", bucket: "c", key: "later", body: Buffer.from("2") });

  const { decoder, body } = decode([first, later]);

  assert.deepEqual(decoder.target, { plugin: "p", bucket: "b", key: "first" });
  assert.equal(body.toString(), "12");
});

test("the target is known only once the first message is whole", () => {
  const message = encode({ plugin: "p", bucket: "b", key: "k", body: Buffer.from("body") });

  const { decoder } = decode([message.subarray(0, -1)]);

  assert.equal(decoder.target, undefined);
  assert.equal(decoder.isBetweenMessages, false);
  decoder.write(message.subarray(-1));
  assert.deepEqual(decoder.target, { plugin: "p", bucket: "b", key: "k" });
});

test("unknown fields of every wire type are passed over", () => {
  const unknown = Buffer.from([0x28, 0xff, 0x01, 0x31, 1, 2, 3, 4, 5, 6, 7, 8, 0x3a, 2, 9, 9, 0x45, 1, 2, 3, 4]);
  const known = encode({ plugin: "p", bucket: "b", key: "k", body: Buffer.from("body") }).subarray(5);

  const { decoder, body } = decode([frameOf(Buffer.concat([unknown, known, unknown]))]);

  assert.deepEqual(decoder.target, { plugin: "p", bucket: "b", key: "k" });
  assert.equal(body.toString(), "body");
});

const malformed: Readonly<Record<string, Buffer>> = {
  "a compressed message": Buffer.from([1, 0, 0, 0, 1, 0]),
  "a field that is longer than its message": frameOf(Buffer.from([0x22, 5, 1])),
  "a length that does not end in its message": frameOf(Buffer.from([0x22, 0xff])),
  "a tag without a value": frameOf(Buffer.from([0x22])),
  "two bodies in one message": frameOf(Buffer.from([0x22, 1, 1, 0x22, 1, 1])),
  "a body that is a number": frameOf(Buffer.from([0x20, 1])),
  "a group": frameOf(Buffer.from([0x0b, 0])),
  "a number without an end": frameOf(Buffer.concat([Buffer.from([0x28]), Buffer.alloc(20, 0xff)])),
  "names longer than any": frameOf(
    Buffer.concat([Buffer.from([0x1a, 0x81, 0x80, 0x40]), Buffer.alloc(1024 * 1024 + 1)]),
  ),
};
for (const [title, stream] of Object.entries(malformed))
  test(`${title} is refused`, () => {
    assert.throws(() => decode([Buffer.concat([stream, Buffer.alloc(8)])]), RangeError);
  });
