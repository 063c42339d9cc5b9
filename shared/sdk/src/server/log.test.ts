import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";

import { formatLogLine } from "./log-line.ts";
import { createLogger, parseLogLevel } from "./log.ts";
import type { LogFields } from "../plugin/index.ts";

test("every line is one flat JSON object of strings below 64 KiB, whatever is logged", () => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSymbol: true } as object);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.dictionary(fc.string(), anything), (message, fields) => {
      const line = formatLogLine("info", message, fields);

      assertWireForm(line);
    }),
    { numRuns: 500 },
  );
});

for (const [title, message, fields] of [
  ["a message that is too long", "m".repeat(200_000), {}],
  ["a message that grows when escaped", "\u0001".repeat(60_000), {}],
  ["a value that is too long", "m", { v: "v".repeat(200_000) }],
  ["many long values", "m", Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, "v".repeat(5000)]))],
  ["too many fields", "m", Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`key${n}`, n]))],
  ["a field name that is too long", "m", { ["k".repeat(100_000)]: 1 }],
  ["fields that cannot be printed", "m", { v: { toJSON: () => assert.fail() }, w: Object.create(null) as unknown }],
  ["fields named like the protocol's own", "m", { "@message": 1, "@level": {}, "@timestamp": null, "@@x": 2 }],
  ["a field named __proto__", "m", JSON.parse('{"__proto__": 5}') as object],
] as const) {
  test(`${title} stays within the wire's form`, () => {
    const line = formatLogLine("warn", message, fields as Readonly<Record<string, unknown>>);

    assertWireForm(line);
  });
}

test("fields cannot take the place of level and message, nor set a timestamp", () => {
  const line = formatLogLine("info", "true message", { "@message": "false", "@level": "error", "@timestamp": "now" });

  const parsed = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual([parsed["@level"], parsed["@message"], parsed["@timestamp"]], ["info", "true message", undefined]);
});

for (const [text, expected] of [
  ["trace", "debug"],
  ["debug", "debug"],
  ["info", "info"],
  ["warning", "warn"],
  ["error", "error"],
  ["fatal", "error"],
  ["panic", "error"],
  ["Debug", "debug"],
  ["nonsense", "info"],
  [undefined, "info"],
] as const) {
  test(`--log-level ${text} writes from ${expected} on`, () => {
    assert.equal(parseLogLevel(text), expected);
  });
}

test("lines below the level are not written", () => {
  const lines: string[] = [];
  const log = createLogger("warn", (line) => lines.push(line));

  for (const level of ["debug", "info", "warn", "error"] as const) log[level]("said", { level } satisfies LogFields);

  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as Record<string, unknown>)["@level"]),
    ["warn", "error"],
  );
});

test("a line names the file and line that wrote it", () => {
  const lines: string[] = [];
  const log = createLogger("debug", (line) => lines.push(line));

  log.info("here");

  const parsed = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  assert.match(String(parsed["logSource"]), /^server\/log\.test\.ts:\d+$/);
  assert.equal(parsed["@logSourceSetBy"], "plugin");
});

function assertWireForm(line: string): void {
  assert.ok(Buffer.byteLength(line) < 64 * 1024, `${Buffer.byteLength(line)} bytes`);
  assert.ok(!line.includes("\n"));
  const parsed: unknown = JSON.parse(line);
  assert.ok(typeof parsed === "object" && parsed !== null);
  for (const [name, value] of Object.entries(parsed)) assert.equal(typeof value, "string", name);
  assert.ok("@level" in parsed && "@message" in parsed);
  assert.ok(!("@timestamp" in parsed));
}
