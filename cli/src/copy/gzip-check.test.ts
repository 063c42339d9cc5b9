import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { GzipCheck } from "./gzip-check.ts";

const whole = gzipSync(Buffer.alloc(500_000, "flotilla"));

async function check(bytes: Buffer): Promise<void> {
  const gzip = new GzipCheck();
  for (let start = 0; start < bytes.length; start += 100) await gzip.update(bytes.subarray(start, start + 100));
  await gzip.finish();
}

test("broken gzip data are refused: another byte, a missing end, something else", async () => {
  const broken = Buffer.from(whole);
  broken.writeUInt8(broken.readUInt8(broken.length - 6) ^ 1, broken.length - 6);

  await assert.rejects(check(broken), /incorrect data check/);
  await assert.rejects(check(whole.subarray(0, -1)), /unexpected end of file/);
  await assert.rejects(check(Buffer.from("no gzip data at all")), /incorrect header check/);
});

test("whole gzip data pass", async () => {
  await check(whole);
});
