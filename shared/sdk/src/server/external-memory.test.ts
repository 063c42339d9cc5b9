import assert from "node:assert/strict";
import { test } from "node:test";
import { cachedDataVersionTag } from "node:v8";

import { expectLargeBodies, externalMemoryFlag } from "./external-memory.ts";

test("V8 knows the option by which memory outside its heap is weighed together with the heap", () => {
  // Each option that is in force has its part in the tag.
  const before = cachedDataVersionTag();

  expectLargeBodies();

  assert.notEqual(cachedDataVersionTag(), before, `${externalMemoryFlag} is unknown to this version`);
});
