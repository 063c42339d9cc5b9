import { setTimeout as delay } from "node:timers/promises";

import { bodyOf } from "../../bodies.ts";
import { expectBytes, expectEqual } from "../../expect.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { atOnce } from "./at-once.ts";

const mebibyte = 1024 ** 2;
/** What fits into one frame with the names beside it. */
const messageBytes = 8 * 1024;
/** In which a put that was wrongly taken for a whole one shows. */
const settleMs = 800;
const former = Buffer.from("the former object");

/** Puts whose host gives up: an RST_STREAM where the half-close would be. */
export const cancelledPutsTests: readonly ConformanceTest[] = [
  {
    id: "object-store/cancelled-puts/with-the-last-byte",
    title: "a put that is reset right after its bytes stores nothing",
    rule: "cancelled-put-stores-nothing",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const keys = Array.from({ length: 12 }, (_, index) => t.key(`object-${index}`));

      await atOnce(keys, keys.length, async (key) => {
        (await openPut(t, store)).sendAndReset([store.putMessage(key, bodyOf(key, 1000))]);
      });

      await expectStored(t, store, []);
    },
  },
  {
    id: "object-store/cancelled-puts/before-the-first-byte",
    title: "a put that is reset before its first message stores nothing and harms nobody",
    rule: "cancelled-put-stores-nothing",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();

      (await openPut(t, store)).reset();

      await expectStored(t, store, []);
    },
  },
  {
    id: "object-store/cancelled-puts/between-bytes",
    title: "a put that is reset while the plugin waits for more stores nothing",
    rule: "cancelled-put-stores-nothing",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const put = await openPut(t, store);

      put.send(messagesOf(store, t.key("object"), 40_000));
      await delay(200);
      put.reset();

      await expectStored(t, store, []);
    },
  },
  {
    id: "object-store/cancelled-puts/after-parts",
    title: "a put that is reset when parts of it have been sent on stores nothing",
    rule: "cancelled-put-stores-nothing",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const put = await openPut(t, store);

      // The frames are written without regard to the window, so slowly that it opens again each time.
      for (let sent = 0; sent < 18 * mebibyte; sent += 6 * messageBytes) {
        put.send(messagesOf(store, t.key("object"), 6 * messageBytes));
        await delay(4);
      }
      put.reset();

      await expectStored(t, store, []);
    },
  },
  {
    id: "object-store/cancelled-puts/keeps-the-former-object",
    title: "a put that is reset leaves the former object as it was",
    rule: "cancelled-put-stores-nothing",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await store.put(t.key("object"), former);

      (await openPut(t, store)).sendAndReset(messagesOf(store, t.key("object"), 30_000));

      await expectStored(t, store, [t.key("object")]);
      expectBytes(await store.get(t.key("object")), former, "the former object");
    },
  },
  {
    id: "object-store/cancelled-puts/connection-lost",
    title: "a put whose connection breaks off leaves the former object as it was",
    rule: "cancelled-put-stores-nothing",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await store.put(t.key("object"), former);
      const put = await openPut(t, store);

      put.send(messagesOf(store, t.key("object"), 40_000));
      await delay(200);
      put[Symbol.dispose]();

      await expectStored(t, store, [t.key("object")]);
      expectBytes(await store.get(t.key("object")), former, "the former object");
    },
  },
];

async function openPut(t: TestContext, store: ObjectStoreSession) {
  store.session.journal.sent("PutObject, frame by frame, then RST_STREAM or the end of the connection");
  const put = await store.openRawPut();
  t.own(async () => put[Symbol.dispose]());
  return put;
}

function messagesOf(store: ObjectStoreSession, key: string, bytes: number) {
  const body = bodyOf(key, bytes);
  return Array.from({ length: Math.ceil(bytes / messageBytes) }, (_, index) =>
    store.putMessage(key, body.subarray(index * messageBytes, (index + 1) * messageBytes)),
  );
}

async function expectStored(t: TestContext, store: ObjectStoreSession, keys: readonly string[]): Promise<void> {
  await delay(settleMs);
  expectEqual(await store.listObjects(t.prefix), keys, "what is stored after the reset");
}
