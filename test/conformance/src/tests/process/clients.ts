import { setTimeout as delay } from "node:timers/promises";

import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";

const mebibyte = 1024 ** 2;
const pieceBytes = 64 * 1024;
/** What fits into one frame with the names beside it. */
const messageBytes = 8 * 1024;
/** In which the plugin begins with a put, on a busy machine too. */
const loseAfterMs = 300;

/** Clients that go away without a word. */
export const clientTests: readonly ConformanceTest[] = [
  {
    id: "process/clients/connection-lost-in-a-put",
    title: "a connection that breaks in the middle of its put harms neither a put of another one nor later calls",
    rule: "survives-a-reset-connection",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const body = bodyOf("survivor", mebibyte);
      using lost = await store.openRawPut();
      lost.send([store.putMessage(t.key("lost"), bodyOf("lost", messageBytes))]);

      const loses = delay(loseAfterMs).then(() => lost[Symbol.dispose]());
      await store.put(t.key("survivor"), endingAfter(loses, body));

      expectBytes(await store.get(t.key("survivor")), body, "the object of the other put");
      expect(!store.session.hasExited, "the process ended");
    },
  },
];

/** Under way while something else happens. */
async function* endingAfter(event: Promise<void>, body: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield body.subarray(0, pieceBytes);
  await event;
  await delay(loseAfterMs);
  yield body.subarray(pieceBytes);
}
