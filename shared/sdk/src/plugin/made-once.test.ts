import assert from "node:assert/strict";
import { test } from "node:test";
import { MadeOnce } from "./made-once.ts";

test("a failure reaches all who wait for it, and the next who asks has it made again", async () => {
  const answers = [Promise.reject(new Error("not yet")), Promise.resolve("made")];
  const once = new MadeOnce(async () => await (answers.shift() ?? assert.fail("made too often")));

  const both = await Promise.allSettled([once.get(), once.get()]);

  assert.deepEqual(
    both.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.deepEqual([once.asked], [undefined]);
  assert.equal(await once.get(), "made");
  assert.equal(await once.get(), "made");
  assert.equal(await once.asked, "made");
});

test("who hears late of a failure does not throw away what is made since", async () => {
  const failing = Promise.withResolvers<string>();
  const answers = [failing.promise, Promise.resolve("second")];
  const once = new MadeOnce(async () => await (answers.shift() ?? assert.fail("made too often")));
  const second = once.get().catch(async () => await once.get());
  const late = once.get().catch(() => undefined);

  failing.reject(new Error("first"));

  assert.equal(await second, "second");
  await late;
  assert.equal(await once.get(), "second");
});

test("it is made of the words of whoever asks first", async () => {
  const once = new MadeOnce(async (word: string) => word);

  assert.deepEqual(await Promise.all([once.get("one"), once.get("two")]), ["one", "one"]);
});
