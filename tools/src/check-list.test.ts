import assert from "node:assert/strict";
import { test } from "node:test";
import { createCheckList } from "./check-list.ts";

test("a check that throws is counted as failed with its reason, and the rest still runs", async () => {
  const lines: string[] = [];
  const list = createCheckList((line) => lines.push(line));

  await list.check("broken", () => assert.fail("the reason"));
  await list.check("sound", () => {});

  assert.equal(list.close(), 1);
  assert.match(lines.join("\n"), /FAIL {2}broken\n.*the reason/);
  assert.equal(lines.at(-1), "1 passed, 1 failed");
});

test("a list without a check does not pass", () => {
  assert.equal(createCheckList(() => {}).close(), 1);
});
