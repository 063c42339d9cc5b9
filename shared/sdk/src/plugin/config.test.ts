import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { bool, byteSize, custom, duration, oneOf, text, url } from "./config-keys.ts";
import { ignoredKeys, parseConfig } from "./config.ts";
import { isKind } from "./plugin-error.ts";

const schema = {
  keys: {
    bucket: text("Where backups are kept.", { required: true, origin: "server" }),
    region: text("The region."),
    s3Url: url("Another endpoint."),
    s3ForcePathStyle: bool("Bucket in the path.", { fallback: false }),
    checksumAlgorithm: oneOf("What to compute.", ["CRC32", "SHA256", ""], { fallback: "CRC32", keepsEmpty: true }),
    memoryLimit: byteSize("Memory for transfers.", { fallback: 64 * 1024 ** 2, defaultText: "64Mi", origin: "ours" }),
    waitTimeout: duration("How long to wait.", { fallback: 600_000, origin: "ours" }),
    kmsKeyId: text("A key.", { secret: true }),
    customerKey: text("Another key.", { secret: true }),
    signatureVersion: text("Once chose a signature.", { ignored: "there is only one version left" }),
  },
  exclusive: [["kmsKeyId", "customerKey"]],
} as const;

function refusal(config: Record<string, string>): string {
  try {
    parseConfig(schema, config);
  } catch (error) {
    assert.ok(isKind(error, "invalid-config"));
    return error.message;
  }
  return assert.fail("accepted");
}

test("all faults of a configuration are told at once", () => {
  const message = refusal({ regoin: "x", s3Url: "ftp://h", s3ForcePathStyle: "yes", kmsKeyId: "a", customerKey: "b" });

  assert.match(
    message,
    /config has invalid keys \[regoin \(did you mean region\?\)\]; valid keys are \[.*waitTimeout\]/,
  );
  assert.match(message, /s3Url: neither http nor https \(expected http or https URL\)/);
  assert.match(message, /s3ForcePathStyle: not a boolean \(expected true or false\)/);
  assert.match(message, /kmsKeyId and customerKey exclude each other/);
  assert.match(message, /bucket is missing/);
});

test("a refusal never repeats a value", () => {
  const message = refusal({ s3Url: "s3cr3t", memoryLimit: "s3cr3t", kmsKeyId: "s3cr3t", customerKey: "s3cr3t" });

  assert.doesNotMatch(message, /s3cr3t/);
});

test("an unknown key that resembles nothing gets no suggestion", () => {
  assert.match(refusal({ bucket: "b", zzzzzz: "1" }), /invalid keys \[zzzzzz\];/);
});

test("a key with the name of something that every object inherits is unknown", () => {
  assert.match(refusal({ bucket: "b", constructor: "1" }), /invalid keys \[constructor/);
});

test("absent and empty keys take their fallback", () => {
  const values = parseConfig(schema, { bucket: "b", region: "", s3ForcePathStyle: "", memoryLimit: "" });

  assert.equal(values.region, undefined);
  assert.equal(values.s3ForcePathStyle, false);
  assert.equal(values.memoryLimit, 64 * 1024 ** 2);
  assert.equal(values.checksumAlgorithm, "CRC32");
});

test("an empty value is a value where the key keeps it", () => {
  assert.equal(parseConfig(schema, { bucket: "b", checksumAlgorithm: "" }).checksumAlgorithm, "");
});

test("a required key that is empty is missing", () => {
  assert.match(refusal({ bucket: "" }), /bucket is missing/);
});

test("two keys that exclude each other may not both be set, but one may be empty", () => {
  assert.equal(parseConfig(schema, { bucket: "b", kmsKeyId: "a", customerKey: "" }).kmsKeyId, "a");
});

test("a key without effect is accepted and told of", () => {
  assert.deepEqual(ignoredKeys(schema, { signatureVersion: "4" }), [
    { name: "signatureVersion", reason: "there is only one version left" },
  ]);
  assert.deepEqual(ignoredKeys(schema, { signatureVersion: "" }), []);
});

test("booleans are read in the words that Go reads", () => {
  const words = ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"];
  const key = bool("x");

  assert.deepEqual(
    words.map((word) => key.parse(word)),
    words.map((_, index) => index < 6),
  );
  for (const word of ["yes", "tRUE", " true", "2"]) assert.throws(() => key.parse(word));
});

test("amounts of bytes are read in Kubernetes' form", () => {
  const key = byteSize("x");

  assert.deepEqual(
    ["0", "16", "1k", "64Mi", "1Gi", "500M", "3Ki", "2G"].map((value) => key.parse(value)),
    [0, 16, 1000, 67_108_864, 1_073_741_824, 500_000_000, 3072, 2_000_000_000],
  );
  for (const value of ["", "Mi", "-1", "1.5Gi", "64MiB", "64 Mi", "1e3"]) assert.throws(() => key.parse(value));
});

test("durations are read in Go's form", () => {
  const key = duration("x");

  assert.deepEqual(
    ["90s", "1h30m", "1.5h", ".5s", "100ms", "2us", "2µs", "1ns", "+5m"].map((value) => key.parse(value)),
    [90_000, 5_400_000, 5_400_000, 500, 100, 0.002, 0.002, 1e-6, 300_000],
  );
  for (const value of ["", "10", "1d", "-1s", "1h 30m", "s", "++1s", "+"]) assert.throws(() => key.parse(value));
});

test("a word that is not on the list is refused with the list", () => {
  assert.match(refusal({ bucket: "b", checksumAlgorithm: "CRC7" }), /expected one of CRC32, SHA256, ""/);
});

test("a key with a form of its own tells its own reason", () => {
  const tags = custom("Tags.", "K=V&K=V", () => {
    throw new Error("more than ten tags");
  });

  assert.throws(() => parseConfig({ keys: { tags } }, { tags: "x" }), /tags: more than ten tags \(expected K=V&K=V\)/);
});

test("any duration made of Go's units adds up, and any other text is refused", () => {
  const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  const anyPart = fc.tuple(fc.nat(10_000), fc.constantFrom("h", "m", "s", "ms"));
  fc.assert(
    fc.property(fc.array(anyPart, { minLength: 1, maxLength: 5 }), (parts) => {
      const sum = parts.reduce((total, [amount, unit]) => total + amount * units[unit], 0);

      assert.equal(duration("x").parse(parts.map((part) => part.join("")).join("")), sum);
    }),
  );
});

test("any set of known keys with text values reads back as given", () => {
  const keys = { alpha: text("a"), beta: text("b"), gamma: text("c") };
  fc.assert(
    fc.property(fc.record({ alpha: fc.string({ minLength: 1 }), beta: fc.string({ minLength: 1 }) }), (config) => {
      assert.deepEqual(parseConfig({ keys }, config), { ...config, gamma: undefined });
    }),
  );
});

test("any name that is no key is refused by name", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z_]{1,20}$/), (name) => {
      fc.pre(!Object.hasOwn(schema.keys, name));

      assert.ok(refusal({ bucket: "b", [name]: "x" }).includes(name));
    }),
  );
});
