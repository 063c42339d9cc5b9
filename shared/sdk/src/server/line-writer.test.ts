import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { constants, mkdtempSync, openSync, readSync, closeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { LineWriter } from "./line-writer.ts";

test("a reader that is gone silences the writer without an error", () => {
  const pipe = openPipe();
  const writer = new LineWriter(pipe.write);
  closeSync(pipe.read);

  assert.doesNotThrow(() => {
    writer.write("to nobody");
    writer.write("again");
  });
});

test("a reader that is stuck costs lines, not the plugin, and no line runs into another", () => {
  const pipe = openPipe();
  const writer = new LineWriter(pipe.write);
  const startedAt = performance.now();

  // A pipe holds 64 KiB: the third line gets stuck half-way, the fourth is lost.
  for (const letter of ["a", "b", "c", "d"]) writer.write(letter.repeat(30_000));
  const stuckMs = performance.now() - startedAt;
  const before = readAll(pipe.read);
  writer.write("e");
  const after = readAll(pipe.read);

  assert.ok(stuckMs < 20_000, `${stuckMs} ms`);
  assert.deepEqual(
    (before + after)
      .trimEnd()
      .split("\n")
      .map((line) => [line[0], line.length, new Set(line).size]),
    [
      ["a", 30_000, 1],
      ["b", 30_000, 1],
      ["c", 30_000, 1],
      ["e", 1, 1],
    ],
  );
});

/** A pipe whose ends do not block. Node makes none itself; a named one serves. */
function openPipe(): { readonly read: number; readonly write: number } {
  const path = join(mkdtempSync(join(tmpdir(), "pipe-")), "p");
  execFileSync("mkfifo", [path]);
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { read, write: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) };
}

function readAll(fd: number): string {
  const buffer = Buffer.alloc(200_000);
  let length = 0;
  for (;;) {
    try {
      const taken = readSync(fd, buffer, length, buffer.length - length, null);
      if (taken === 0) break;
      length += taken;
    } catch {
      // Empty for now.
      break;
    }
  }
  return buffer.toString("latin1", 0, length);
}
