import { setTimeout as delay } from "node:timers/promises";

import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, expectEqual } from "../../expect.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { expectPromptEnd } from "../process/prompt-end.ts";
import { atOnce } from "./at-once.ts";
import { residentGrowth } from "./resident-growth.ts";

const mebibyte = 1024 ** 2;
const largeBytes = 32 * mebibyte;
const other = bodyOf("other", 9 * mebibyte);
const readers = [1, 2, 3, 4, 5, 6, 7, 8];
/** Room for a window of each reader; eight objects of 32 MiB do not fit. */
const limitBytes = 160 * mebibyte;

/** Readers that stop: the server closes its end and never tells. */
export const abandonedGetsTests: readonly ConformanceTest[] = [
  {
    id: "object-store/abandoned-gets/other-calls-go-on",
    title: "gets that nobody reads on hold up no other call",
    rule: "abandoned-get-harms-nobody",
    kind: "ObjectStore",
    run: async (t) => {
      const { store, body } = await openWithLargeObject(t);
      await atOnce(readers, 8, () => abandon(t, store));

      await store.put(t.key("other"), other);

      expectBytes(await store.get(t.key("other")), other, "another object");
      expectBytes(await store.get(t.key("large")), body, "the same object");
      expectEqual(await store.exists(t.key("large")), true, "ObjectExists");
      expectEqual((await store.listObjects(t.prefix)).length, 2, "the number of objects");
    },
  },
  {
    id: "object-store/abandoned-gets/memory",
    title: "gets that nobody reads on do not pile up in memory",
    rule: "abandoned-get-harms-nobody",
    kind: "ObjectStore",
    run: async (t) => {
      const { store } = await openWithLargeObject(t);

      const growth = await residentGrowth(store.session, async () => {
        await atOnce(readers, 8, () => abandon(t, store));
        await delay(1500);
      });

      if (growth === undefined) return;
      expect(
        growth <= limitBytes,
        `eight gets that nobody read let the process grow by ${Math.round(growth / mebibyte)} MiB`,
      );
    },
  },
  {
    id: "object-store/abandoned-gets/shutdown",
    title: "a get that nobody reads on does not hold up the end of the process",
    rule: "shutdown-is-prompt",
    kind: "ObjectStore",
    run: async (t) => {
      const { signal } = await expectPromptEnd(t, async () => {
        const { store } = await openWithLargeObject(t);
        await abandon(t, store);
        return store.session;
      });

      expect(signal === undefined, `it ended by ${signal}`);
    },
  },
  {
    id: "object-store/abandoned-gets/cancelled",
    title: "gets that are cancelled half-way hold up no other call",
    rule: "cancelled-get-harms-nobody",
    kind: "ObjectStore",
    run: async (t) => {
      const { store, body } = await openWithLargeObject(t);

      await atOnce([...readers, ...readers], 8, () => cancelHalfWay(store, t.key("large")));

      await store.put(t.key("other"), other);
      expectBytes(await store.get(t.key("other")), other, "another object");
      expectBytes(await store.get(t.key("large")), body, "the object after the cancelled gets");
    },
  },
];

interface LargeObject {
  readonly store: ObjectStoreSession;
  readonly body: Buffer;
}

async function openWithLargeObject(t: TestContext): Promise<LargeObject> {
  const store = await t.openObjectStore();
  const body = bodyOf("large", largeBytes);
  await store.put(t.key("large"), body);
  return { store, body };
}

/** Reads one message and no more, and leaves the call open. */
async function abandon(t: TestContext, store: ObjectStoreSession): Promise<void> {
  const reader = store.read(t.key("large"));
  await reader.next();
  t.own(() => reader.return());
}

async function cancelHalfWay(store: ObjectStoreSession, key: string): Promise<void> {
  let bytes = 0;
  // Leaving the iteration cancels the call.
  for await (const chunk of store.read(key)) if ((bytes += chunk.length) > 2 * mebibyte) break;
}
