import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, expectEqual } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";

/** Several processes of one executable. */
export const parallelTests: readonly ConformanceTest[] = [
  {
    id: "process/parallel/independent",
    title: "four processes work at the same time, and their ends do not touch each other",
    rule: "parallel-processes",
    run: async (t) => {
      const sessions = await Promise.all(Array.from({ length: 4 }, async () => await t.start()));

      const [first, ...others] = sessions;
      await first?.shutdown();

      const addresses = new Set(sessions.map(({ handshake }) => handshake.address));
      expectEqual(addresses.size, sessions.length, "the number of addresses");
      for (const session of others) expect((await session.listPlugins()).length > 0, "it lists nothing");
    },
  },
  {
    id: "process/parallel/puts",
    title: "four processes put and get at the same time, each its own object",
    rule: "parallel-processes",
    kind: "ObjectStore",
    run: async (t) => {
      const names = ["a", "b", "c", "d"];

      const work = async (name: string): Promise<void> => {
        const store = await t.openObjectStore();
        await store.put(t.key(name), bodyOf(name, 300_000));
        expectBytes(await store.get(t.key(name)), bodyOf(name, 300_000), `object ${name}`);
      };

      await Promise.all(names.map(work));
    },
  },
];
