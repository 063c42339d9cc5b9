import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, expectEqual } from "../../expect.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { atOnce } from "./at-once.ts";

const mebibyte = 1024 ** 2;
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

/** Many calls of one process at the same time. */
export const concurrencyTests: readonly ConformanceTest[] = [
  {
    id: "object-store/concurrency/many-small-puts",
    title: "sixty-four small puts and gets at once keep their bodies apart",
    rule: "concurrent-calls",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();

      await atOnce(numbers(64), 64, (n) => store.put(t.key(`${n}`), bodyOf(`small ${n}`, 1000 + n)));
      await atOnce(numbers(64), 64, (n) => expectBodyOf(t, store, n, 1000 + n));

      expectEqual((await store.listObjects(t.prefix)).length, 64, "the number of objects");
    },
  },
  {
    id: "object-store/concurrency/large-puts-and-gets",
    title: "puts and gets of several MiB at once keep their bodies apart",
    rule: "concurrent-calls",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const sizeOf = (n: number): number => ((n % 6) + 1) * mebibyte + n;
      await atOnce(numbers(6), 6, (n) => store.put(t.key(`${n}`), bodyOf(`small ${n}`, sizeOf(n))));

      await atOnce(numbers(12), 12, async (n) => {
        if (n < 6) return await expectBodyOf(t, store, n, sizeOf(n));
        await store.put(t.key(`${n}`), bodyOf(`small ${n}`, sizeOf(n)));
        await expectBodyOf(t, store, n, sizeOf(n));
      });
    },
  },
  {
    id: "object-store/concurrency/lists-among-puts",
    title: "lists and questions among puts and deletes tell the truth about what rests",
    rule: "concurrent-calls",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await store.put(t.key("resting/object"), Buffer.from("rests"));

      await atOnce(numbers(60), 12, async (n) => {
        if (n % 3 === 0) {
          await store.put(t.key(`moving/${n}`), Buffer.from("moves"));
          return await store.delete(t.key(`moving/${n}`));
        }
        if (n % 3 === 1) expect(await store.exists(t.key("resting/object")), "the resting object is said to be absent");
        else expectEqual(await store.listObjects(t.key("resting/")), [t.key("resting/object")], "the resting keys");
      });

      expectEqual(await store.listObjects(t.prefix), [t.key("resting/object")], "what is left");
    },
  },
];

async function expectBodyOf(t: TestContext, store: ObjectStoreSession, n: number, sizeBytes: number): Promise<void> {
  expectBytes(await store.get(t.key(`${n}`)), bodyOf(`small ${n}`, sizeBytes), `object ${n}`);
}
