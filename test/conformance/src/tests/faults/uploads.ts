import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, expectEqual } from "../../expect.ts";
import type { BodyFault } from "../../network/body-fault.ts";
import type { ConformanceTest } from "../../test.ts";
import { assertMet, carriesContent, expectNewOrFormer, firstOnes, nameOf, openTwoWays } from "./two-ways.ts";
import { outcomeOf, sizes } from "./two-ways.ts";

interface Cut {
  readonly name: string;
  readonly size: keyof typeof sizes;
  readonly direction: BodyFault["direction"];
  readonly at: number;
  /** How many requests in a row. */
  readonly times: number;
}

const cuts: readonly Cut[] = [
  { name: "before its first byte", size: "small", direction: "up", at: 0, times: 1 },
  { name: "in the middle", size: "small", direction: "up", at: sizes.small / 2, times: 1 },
  { name: "before its last byte", size: "small", direction: "up", at: -1, times: 1 },
  { name: "before its answer", size: "small", direction: "down", at: 0, times: 1 },
  { name: "before the first byte of a part", size: "large", direction: "up", at: 0, times: 1 },
  { name: "in the middle of two parts", size: "large", direction: "up", at: 500_000, times: 2 },
  { name: "before the last byte of a part", size: "large", direction: "up", at: -1, times: 1 },
  { name: "before the answers of two parts", size: "large", direction: "down", at: 0, times: 2 },
];

const needs = ["network", "durable"] as const;

/** Uploads over a network that breaks. */
export const uploadTests: readonly ConformanceTest[] = [
  ...cuts.map(cutTest),
  {
    id: "faults/uploads/every-connection-cut-once",
    title: "a put whose first connections are all reset is whole or fails",
    rule: "cut-uploads-store-nothing",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const { proxy, config, env } = await t.startProxy("ObjectStore");
      const store = await t.openObjectStore({ config, env, mayWarn: true });
      proxy.set({ cut: { direction: "up", afterBytes: 300_000 } }, 4);
      const body = bodyOf("connections", sizes.large);

      const outcome = await outcomeOf(store.put(t.key("object"), body));

      const direct = await t.openObjectStore();
      if (outcome === "ok") expectBytes(await direct.get(t.key("object")), body, "the object");
      else expect(!(await direct.exists(t.key("object"))), "an object is visible though its put failed");
    },
  },
  {
    id: "faults/uploads/every-answer-lost-once",
    title: "a put each of whose requests is done but not answered at first is whole or fails",
    rule: "cut-uploads-store-nothing",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const ways = await openTwoWays(t);
      const seen = new Set<string>();
      ways.proxy.judge((request) => {
        const isNew = !seen.has(nameOf(request));
        seen.add(nameOf(request));
        return isNew ? { kind: "cut", direction: "down", at: 0 } : undefined;
      });

      await expectNewOrFormer(t, ways, sizes.large);

      assertMet(ways.proxy);
    },
  },
  ...(["small", "large"] as const).map(cutForEverTest),
];

function cutTest({ name, size, direction, at, times }: Cut): ConformanceTest {
  return {
    id: `faults/uploads/${size}-cut-${name.replaceAll(" ", "-")}`,
    title: `the put of a ${size} object that is cut ${name} stores it whole or leaves the former one`,
    rule: "cut-uploads-store-nothing",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const ways = await openTwoWays(t);
      const isMet = firstOnes(times, carriesContent);
      ways.proxy.judge((request) => (isMet(request) ? { kind: "cut", direction, at } : undefined));

      await expectNewOrFormer(t, ways, sizes[size]);

      assertMet(ways.proxy);
    },
  };
}

function cutForEverTest(size: keyof typeof sizes): ConformanceTest {
  return {
    id: `faults/uploads/${size}-cut-for-ever`,
    title: `the put of a ${size} object whose requests are all cut fails and stores nothing`,
    rule: "refusals-end",
    kind: "ObjectStore",
    needs,
    isSlow: true,
    timeoutMs: 300_000,
    run: async (t) => {
      const { direct, faulty, proxy } = await openTwoWays(t);
      proxy.judge((request) => (carriesContent(request) ? { kind: "cut", direction: "up", at: 200_000 } : undefined));

      const outcome = await outcomeOf(faulty.put(t.key("object"), bodyOf("cut", sizes[size])));

      assertMet(proxy);
      expect(outcome !== "ok", "a put whose content never arrived succeeded");
      expectEqual(await direct.exists(t.key("object")), false, "whether the object exists after its put failed");
      expectEqual(await direct.listObjects(t.prefix), [], "the listing after the put failed");
    },
  };
}
