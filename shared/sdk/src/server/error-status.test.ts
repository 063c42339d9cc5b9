import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import * as fc from "fast-check";

import { PluginError } from "../plugin/index.ts";
import type { PluginErrorKind } from "../plugin/index.ts";
import { errorKindTrailer, StatusSchema, velero } from "../wire/index.ts";
import { errorStatus } from "./error-status.ts";

const words = ["not found", "does not exist", "nosuchkey", "blobnotfound", "objectnotexist"];

const codes = {
  "not-found": status.NOT_FOUND,
  denied: status.PERMISSION_DENIED,
  "invalid-config": status.FAILED_PRECONDITION,
  "invalid-argument": status.INVALID_ARGUMENT,
  corrupt: status.DATA_LOSS,
  incomplete: status.CANCELLED,
  conflict: status.ABORTED,
  held: status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  timeout: status.DEADLINE_EXCEEDED,
  unsupported: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
} as const satisfies Record<PluginErrorKind, status>;
const kinds = Object.keys(codes) as PluginErrorKind[];
const otherKinds = kinds.filter((kind) => kind !== "not-found");

/** Texts full of the words, in any case, also in letters that the server's language lower-cases into them. */
const wordyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...words, "not ", "found", "NoSuch", "Key", "BlobNot", "Object", "does ", "not exist", " "),
      fc.string({ unit: "binary", maxLength: 5 }),
    ),
    { maxLength: 8 },
  )
  .chain((parts) => fc.mixedCase(fc.constant(parts.join(""))))
  .map((text) => text.replace(/[kK]/g, (letter, offset: number) => (offset % 2 === 0 ? "\u212a" : letter)))
  .map((text) => text.replace(/i/g, (letter, offset: number) => (offset % 2 === 0 ? "\u0130" : letter)));

test("no kind but not-found ever reads as an absent object, whatever its text", () => {
  fc.assert(
    fc.property(wordyText, fc.constantFrom(...otherKinds), (text, kind) => {
      const { details } = errorStatus(new PluginError(text, { kind }));

      for (const word of words) assert.ok(!goLowerCase(details).includes(word), `${word} in ${details}`);
    }),
    { numRuns: 2000 },
  );
});

test("a panic never reads as an absent object", () => {
  fc.assert(
    fc.property(wordyText, (text) => {
      const { details } = errorStatus(new TypeError(text));

      for (const word of words) assert.ok(!goLowerCase(details).includes(word), `${word} in ${details}`);
    }),
  );
});

test("not-found always reads as an absent object, also where the text is very long", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 10_000, unit: "binary" }), (text) => {
      const { details, code } = errorStatus(new PluginError(text, { kind: "not-found" }));

      assert.equal(code, status.NOT_FOUND);
      assert.ok(
        words.some((word) => goLowerCase(details).includes(word)),
        details,
      );
    }),
  );
});

test("what is reworded keeps its meaning", () => {
  const { details } = errorStatus(
    new PluginError("NoSuchKey? bucket Not Found; it does not exist", { kind: "denied" }),
  );

  assert.equal(details, "no such key? bucket missing; it is missing");
});

for (const kind of kinds) {
  test(`${kind} has its gRPC code and names itself in the trailer`, () => {
    const { code, metadata } = errorStatus(new PluginError("text", { kind }));

    assert.equal(code, codes[kind]);
    assert.deepEqual(metadata.get(errorKindTrailer), [kind]);
  });
}

for (const [title, thrown] of [
  ["a string", "boom"],
  ["nothing", undefined],
  ["an object without prototype", Object.create(null) as unknown],
  ["an error with a stack of another type", Object.assign(new Error("boom"), { stack: 5 })],
  ["half a surrogate pair", new Error("\ud800")],
] as const) {
  test(`${title} thrown is answered as a panic that can be sent`, () => {
    const { code, details } = errorStatus(thrown);

    assert.equal(code, status.ABORTED);
    assert.match(details, /^plugin panicked: /);
    assert.doesNotThrow(() => encodeURI(details));
  });
}

test("the details carry code, text and the stack, the innermost frame first", () => {
  const error = innermost();

  const { code, details, metadata } = errorStatus(error);

  const [binary] = metadata.get("grpc-status-details-bin");
  assert.ok(Buffer.isBuffer(binary));
  const decoded = fromBinary(StatusSchema, binary);
  assert.deepEqual([decoded.code, decoded.message], [code, details]);
  assert.equal(decoded.details[0]?.typeUrl, "type.googleapis.com/generated.Stack");
  const [frame] = fromBinary(velero.StackSchema, decoded.details[0].value).frames;
  assert.equal(frame?.function, "innermost");
  assert.match(frame.file, /error-status\.test\.ts$/);
  assert.ok(frame.line > 0);
});

test("a text of any length stays small enough for a header", () => {
  const { details, metadata } = errorStatus(new PluginError("é".repeat(1_000_000), { kind: "denied" }));

  const headerBytes = encodeURI(details).length + JSON.stringify(metadata.toHttp2Headers()).length;
  assert.ok(headerBytes < 60_000, `${headerBytes} bytes`);
});

function innermost(): PluginError {
  return new PluginError("text", { kind: "denied" });
}

/** As the server's language does it: letter by letter, the dotted capital I and the Kelvin sign into ASCII. */
function goLowerCase(text: string): string {
  return text.replaceAll("\u0130", "i").toLowerCase();
}
