import assert from "node:assert/strict";
import { test } from "node:test";

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";

import { PutObjectRequestSchema } from "./gen/velero/generated_pb.ts";
import type { PutObjectRequest } from "./gen/velero/generated_pb.ts";
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

const names = Buffer.from([0x0a, 1, 0x70, 0x12, 1, 0x62, 0x1a, 1, 0x6b]);
const someBody = Buffer.from([0x22, 2, 1, 2]);

test("the target is known once the first message's body begins after its names, before it is whole", () => {
  const message = encode({ plugin: "p", bucket: "b", key: "k", body: Buffer.from("body") });

  const { decoder } = decode([message.subarray(0, -5)]);

  assert.equal(decoder.target, undefined);
  decoder.write(message.subarray(-5, -1));
  assert.deepEqual(decoder.target, { plugin: "p", bucket: "b", key: "k" });
  assert.equal(decoder.isBetweenMessages, false);
  decoder.write(message.subarray(-1));
  assert.equal(decoder.isBetweenMessages, true);
});

test("a body before its names is theirs, and the target known only once the message is whole", () => {
  const message = frameOf(Buffer.concat([someBody, names]));

  const { decoder, body } = decode([message.subarray(0, -1)]);

  assert.equal(decoder.target, undefined);
  assert.deepEqual([...body], [1, 2]);
  decoder.write(message.subarray(-1));
  assert.deepEqual(decoder.target, { plugin: "p", bucket: "b", key: "k" });
});

/** Bytes of one message, near enough to a whole one to reach every turn of the decoder. */
const spoiled = fc
  .record({
    message: fc
      .array(
        fc.oneof(
          fc.constantFrom(names, someBody, Buffer.from([0x1a, 1, 0x6c]), Buffer.from([0x28, 0x80, 1])),
          fc.uint8Array({ maxLength: 6 }),
        ),
        { maxLength: 6 },
      )
      .map((pieces) => Buffer.concat(pieces)),
    flips: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }),
  })
  .map(({ message, flips }) => {
    for (const [place, byte] of flips) if (message.length > 0) message[place % message.length] = byte;
    return message;
  });

/** Undefined where a name is no text; a later one of the same field may have counted instead. */
function generatedReading(message: Uint8Array): PutObjectRequest | undefined {
  try {
    return fromBinary(PutObjectRequestSchema, message);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

test("what is no message is refused or read as the generated codec reads it, however the stream is cut", () => {
  let accepted = 0;
  fc.assert(
    fc.property(spoiled, cuts, (message, places) => {
      let read: ReturnType<typeof decode>;
      try {
        read = decode(cut(frameOf(message), places));
      } catch (error) {
        assert.ok(error instanceof RangeError);
        return;
      }
      const generated = generatedReading(message);
      if (generated === undefined) return;
      const { plugin, bucket, key, body } = generated;
      assert.equal(read.decoder.isBetweenMessages, true);
      assert.deepEqual(read.decoder.target, { plugin, bucket, key });
      assert.ok(read.body.equals(body));
      accepted += 1;
    }),
    { numRuns: 5000 },
  );
  assert.ok(accepted > 100, `${accepted} were accepted`);
});

test("any bytes at all are refused with a RangeError or leave the decoder in a message", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (pieces) => {
      try {
        decode(pieces);
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }),
    { numRuns: 2000 },
  );
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
  "a name that is a number": frameOf(Buffer.from([0x18, 1])),
  "a group": frameOf(Buffer.from([0x0b, 0])),
  "a number without an end": frameOf(Buffer.concat([Buffer.from([0x28]), Buffer.alloc(20, 0xff)])),
  "names after a body that had some before it": frameOf(Buffer.concat([names, someBody, names])),
  "a body of many MiB before its names": frameOf(
    Buffer.concat([Buffer.from([0x22, 0x81, 0x80, 0x80, 2]), Buffer.alloc(4 * 1024 * 1024 + 1)]),
  ),
  "a name that is no UTF-8": frameOf(Buffer.from([0x1a, 1, 0xff])),
  "a field without a number": frameOf(Buffer.from([0x02, 0])),
  "a field whose number has more than 32 bits": frameOf(Buffer.from([0xa0, 0x80, 0x80, 0x80, 0x10, 0])),
  "names longer than any": frameOf(
    Buffer.concat([Buffer.from([0x1a, 0x81, 0x80, 0x40]), Buffer.alloc(1024 * 1024 + 1)]),
  ),
};
for (const [title, stream] of Object.entries(malformed))
  test(`${title} is refused`, () => {
    assert.throws(() => decode([Buffer.concat([stream, Buffer.alloc(8)])]), RangeError);
  });
