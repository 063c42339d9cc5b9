import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../testing/index.ts";
import { interruptible } from "./interruptible.ts";

test("an abort ends the wait for a source that never answers", async () => {
  const abort = new AbortController();
  const source = async function* (): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => {});
  };
  const seen: number[] = [];
  const running = (async () => {
    for await (const value of interruptible(source(), abort.signal)) seen.push(value);
  })();
  await settle();

  abort.abort(new Error("enough"));

  await assert.rejects(running, /enough/);
  assert.deepEqual(seen, [1]);
});

test("a source is left when its reader leaves, and when the signal aborts between two chunks", async () => {
  for (const leaves of [true, false]) {
    const abort = new AbortController();
    let isLeft = false;
    const source = async function* (): AsyncGenerator<number> {
      try {
        for (;;) yield 1;
      } finally {
        isLeft = true;
      }
    };
    const reading = interruptible(source(), abort.signal);
    await reading.next();

    if (leaves) await reading.return();
    else {
      abort.abort(new Error("enough"));
      await assert.rejects(reading.next(), /enough/);
    }

    assert.ok(isLeft);
  }
});

test("a source that fails passes its error on and is not left twice", async () => {
  let returns = 0;
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => await Promise.reject(new Error("disk gone")),
      return: async () => {
        returns += 1;
        return await Promise.resolve({ done: true, value: undefined });
      },
    }),
  };

  await assert.rejects(async () => await interruptible(source, new AbortController().signal).next(), /disk gone/);

  assert.equal(returns, 0);
});
