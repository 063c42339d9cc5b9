import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";

import { Lanes } from "./lanes.ts";

test("no more runs at once than there are lanes, everything runs, and a failure frees its lane", async () => {
  const lanes = new Lanes(2);
  const seen = { now: 0, most: 0, done: 0 };
  const work = async (fails: boolean): Promise<void> => {
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    await turn();
    seen.now -= 1;
    seen.done += 1;
    if (fails) throw new Error("failed");
  };

  const all = Array.from({ length: 9 }, (_, index) => lanes.run(async () => await work(index % 3 === 0)));
  const results = await Promise.allSettled(all);

  assert.deepEqual(seen, { now: 0, most: 2, done: 9 });
  assert.equal(results.filter(({ status }) => status === "rejected").length, 3);
});
