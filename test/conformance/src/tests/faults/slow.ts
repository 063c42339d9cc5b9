import { bodyOf } from "../../bodies.ts";
import { expectBytes } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";

const mebibyte = 1024 ** 2;

/** A thin line over a long way. */
export const slowTests: readonly ConformanceTest[] = [
  {
    id: "faults/slow/put-and-get",
    title: "an object is put and got over a line of 2 MiB/s and 50 ms",
    rule: "slow-is-not-dead",
    kind: "ObjectStore",
    needs: ["network", "durable"],
    run: async (t) => {
      const faults = { upDelayMs: 25, downDelayMs: 25, bytesPerSecond: 2 * mebibyte };
      const { config, env } = await t.startProxy("ObjectStore", faults);
      const store = await t.openObjectStore({ config, env });
      const body = bodyOf("slow", 4 * mebibyte);

      await store.put(t.key("object"), body);

      expectBytes(await store.get(t.key("object")), body, "the object");
    },
  },
  {
    id: "faults/slow/large",
    title: "an object of many parts is put and got over a line of 1 MiB/s for each connection",
    rule: "slow-is-not-dead",
    kind: "ObjectStore",
    needs: ["network", "durable"],
    isSlow: true,
    timeoutMs: 300_000,
    run: async (t) => {
      const faults = { upDelayMs: 25, downDelayMs: 25, bytesPerSecond: mebibyte };
      const { config, env } = await t.startProxy("ObjectStore", faults);
      const store = await t.openObjectStore({ config, env });
      const body = bodyOf("slow and large", 40 * mebibyte);

      await store.put(t.key("object"), body);

      expectBytes(await store.get(t.key("object")), body, "the object");
    },
  },
];
