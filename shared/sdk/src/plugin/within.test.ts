import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "./within.ts";

test("the end of one wait leaves the work to the others", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const leaving = new AbortController();
  const left = within(promise, leaving.signal);
  const stayed = within(promise, new AbortController().signal);

  leaving.abort(new Error("left"));
  resolve("done");

  await assert.rejects(left, /left/);
  assert.equal(await stayed, "done");
});

test("a call that has ended does not begin to wait", async () => {
  await assert.rejects(within(Promise.resolve(1), AbortSignal.abort(new Error("over"))), /over/);
});

test("a failure of the work reaches everybody", async () => {
  const work = Promise.reject(new Error("refused"));
  const { signal } = new AbortController();

  await assert.rejects(within(work, signal), /refused/);
  await assert.rejects(within(work, signal), /refused/);
});
