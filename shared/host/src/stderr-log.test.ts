import assert from "node:assert/strict";
import { test } from "node:test";

import { LineSplitter } from "./line-splitter.ts";
import { StderrLog } from "./stderr-log.ts";

const read = (text: string) => new StderrLog().read({ text, isWhole: true });

test("a message or field that is not a string is a violation, and is kept as text", () => {
  const { line, violations } = read(`{"@level":"info","@message":7,"namespace":null}`);

  assert.deepEqual(line, { level: "info", message: "7", fields: { namespace: "null" } });
  assert.equal(violations.length, 2);
  assert.match(violations[0] ?? "", /"@message" is not a string, which can crash the server/);
});

for (const [text, reason] of [
  [`{"@message":"x"}`, /no @level/],
  [`{"@level":"warning","@message":"x"}`, /unknown @level warning/],
  [`{"@level":"info","@message":"x","@timestamp":"2026-01-02T03:04:05.678Z"}`, /six fractional digits/],
] as const) {
  test(`the line ${text} is lost to debug, which is a violation`, () => {
    const { line, violations } = read(text);

    assert.deepEqual(line, { level: "debug", message: text, fields: {} });
    assert.match(violations.join(), reason);
  });
}

test("a whole line gives level, message and fields", () => {
  const { line, violations } = read(`{"@level":"WARN","@message":"slow","bucket":"b","@logSourceSetBy":"plugin"}`);

  assert.deepEqual(line, { level: "warn", message: "slow", fields: { bucket: "b" } });
  assert.deepEqual(violations, []);
});

test("plain text is debug, unless it is tagged or follows a panic", () => {
  const log = new StderrLog();
  const levelOf = (text: string) => log.read({ text, isWhole: true }).line.level;

  assert.deepEqual(["hello", "[WARN] x", "panic: no", "goroutine 1", "[INFO] y"].map(levelOf), [
    "debug",
    "warn",
    "error",
    "error",
    "info",
  ]);
});

test("a line over 64 KiB arrives in pieces, which is a violation", () => {
  const splitter = new LineSplitter();
  const pieces = [...splitter.push("a".repeat(70_000)), ...splitter.push("b\nnext\n")];

  assert.deepEqual(
    pieces.map((piece) => [piece.text.length, piece.isWhole]),
    [
      [70_000, false],
      [1, false],
      [4, true],
    ],
  );
  assert.match(new StderrLog().read({ text: "a", isWhole: false }).violations.join(), /64 KiB/);
});

test("lines that arrive in bits are put together, and the last one needs no line end", () => {
  const splitter = new LineSplitter();
  const texts = [...splitter.push("on"), ...splitter.push("e\r\ntwo\nth"), ...splitter.push("ree"), ...splitter.end()];

  assert.deepEqual(
    texts.map((piece) => piece.text),
    ["one", "two", "three"],
  );
});
