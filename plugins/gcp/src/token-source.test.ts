import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenSource } from "./token-source.ts";
import type { AccessToken } from "./token-source.ts";

const signal = new AbortController().signal;

function counting(lifetimeMs = 3_600_000): { readonly source: TokenSource; readonly count: () => number } {
  let count = 0;
  const source = new TokenSource(async () => {
    count += 1;
    return { token: `token-${count}`, expiresAtMs: Date.now() + lifetimeMs };
  });
  return { source, count: () => count };
}

test("a token is fetched once for calls that need it at the same time, and kept", async () => {
  const { source, count } = counting();

  const tokens = await Promise.all([source.token(signal), source.token(signal)]);

  assert.deepEqual([...tokens, await source.token(signal)], ["token-1", "token-1", "token-1"]);
  assert.equal(count(), 1);
});

test("a token that was refused is fetched anew, once however many say so", async () => {
  const { source, count } = counting();
  const token = await source.token(signal);

  assert.equal(source.forget(token), true);
  assert.equal(source.forget(token), false);

  assert.equal(await source.token(signal), "token-2");
  assert.equal(source.forget(token), false);
  assert.equal(count(), 2);
});

test("a token is replaced a little before its end", async (t) => {
  t.mock.timers.enable({ apis: ["Date"] });
  const { source } = counting(3_600_000);
  await source.token(signal);

  t.mock.timers.tick(3_600_000 - 5 * 60_000);
  assert.equal(await source.token(signal), "token-1");
  t.mock.timers.tick(2 * 60_000);

  assert.equal(await source.token(signal), "token-2");
});

test("a token that lives for seconds only is used for most of them", async (t) => {
  t.mock.timers.enable({ apis: ["Date"] });
  const { source } = counting(8000);
  await source.token(signal);

  t.mock.timers.tick(5000);
  assert.equal(await source.token(signal), "token-1");
  t.mock.timers.tick(2000);

  assert.equal(await source.token(signal), "token-2");
});

test("the end of one call does not end the fetching for the others", async () => {
  const arrival = Promise.withResolvers<AccessToken>();
  const source = new TokenSource(() => arrival.promise);
  const leaving = new AbortController();
  const left = source.token(leaving.signal);
  const stayed = source.token(signal);

  leaving.abort(new Error("no longer"));
  await assert.rejects(left, /no longer/);
  arrival.resolve({ token: "late", expiresAtMs: Date.now() + 60_000 });

  assert.equal(await stayed, "late");
});

test("a failure is told to those who waited, and the next call tries again", async () => {
  let isDown = true;
  const source = new TokenSource(async () => {
    if (isDown) throw new Error("down");
    return { token: "up", expiresAtMs: Date.now() + 60_000 };
  });
  await assert.rejects(source.token(signal), /down/);

  isDown = false;

  assert.equal(await source.token(signal), "up");
});
