import assert from "node:assert/strict";
import { test } from "node:test";

import { canDrawOver, Progress } from "./progress.ts";
import { formatFields, formatTable } from "./table.ts";
import { formatBytes, formatDuration, formatTime } from "./units.ts";

async function* body(...sizes: readonly number[]) {
  for (const size of sizes) yield Buffer.alloc(size);
}

async function transferred(isTerminal: boolean, isQuiet = false): Promise<string> {
  let text = "";
  const progress = new Progress({ isTerminal, printError: (part) => (text += part) }, { isQuiet });
  const transfer = progress.begin("storing a");
  for await (const chunk of transfer.pass(body(1024, 1024))) void chunk;
  transfer.done("stored a");
  return text;
}

test("control characters of a stored name do not reach the terminal", () => {
  assert.equal(formatTable(["name"], [["a\u001B[2Jb\nc\r\u0007"]]), "NAME\nab\u{FFFD}c\u{FFFD}\u{FFFD}\n");
});

test("a table may have more rows than a function takes arguments", () => {
  const rows = Array.from({ length: 300_000 }, (_, row) => [String(row)]);

  assert.equal(formatTable(["row"], rows).split("\n").length, 300_002);
});

test("columns are aligned by characters, and lines do not end in spaces", () => {
  assert.equal(
    formatTable(
      ["name", "size"],
      [
        ["größe", "1"],
        ["x", ""],
      ],
    ),
    "NAME   SIZE\ngröße  1\nx\n",
  );
  assert.equal(
    formatFields([
      ["A", "1"],
      ["Long", "2"],
    ]),
    "A:    1\nLong: 2\n",
  );
});

test("elsewhere than on a terminal progress is one plain line a step", async () => {
  assert.match(await transferred(false), /^stored a {2}2\.0 KiB in \d+ ms, [\d.]+ [KMG]iB\/s\n$/);
});

test("on a terminal a line is drawn over, and erased before the last", async () => {
  const [first, drawn, last] = (await transferred(true)).split("\r\u001B[K");

  assert.equal(first, "");
  assert.match(drawn ?? "", /^storing a {2}1\.0 KiB [^\n]*$/);
  assert.match(last ?? "", /^stored a {2}2\.0 KiB [^\n]*\n$/);
});

test("a quiet run tells nothing", async () => {
  assert.equal(await transferred(true, true), "");
});

test("amounts, spans and moments are printed for people", () => {
  assert.deepEqual([0, 1023, 1024, 1536, 5 * 1024 ** 4].map(formatBytes), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "5.0 TiB",
  ]);
  assert.deepEqual([4, 1500, 65_000].map(formatDuration), ["4 ms", "1.5 s", "1m 05s"]);
  assert.equal(formatTime(new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678))), "2026-01-02T03:04:05Z");
});

test("nothing is drawn over where there is no terminal, or one that only prints", () => {
  const cases = [
    canDrawOver(true, { TERM: "xterm" }),
    canDrawOver(true, {}),
    canDrawOver(true, { TERM: "dumb" }),
    canDrawOver(false, { TERM: "xterm" }),
  ];

  assert.deepEqual(cases, [true, true, false, false]);
});
