import { bodyOf } from "../../bodies.ts";
import type { BodyFault } from "../../network/body-fault.ts";
import type { ConformanceTest } from "../../test.ts";
import { asksForContent, assertMet, expectRightOrError, leastContentBytes, openTwoWays, sizes } from "./two-ways.ts";

interface Cut {
  readonly name: string;
  readonly size: keyof typeof sizes;
  readonly kind: BodyFault["kind"];
  readonly at: number;
  /** How many answers in a row. */
  readonly times: number;
}

const cuts: readonly Cut[] = [
  { name: "before its first byte", size: "small", kind: "cut", at: 0, times: 1 },
  { name: "in the middle", size: "small", kind: "cut", at: sizes.small / 2, times: 1 },
  { name: "before its last byte", size: "small", kind: "cut", at: -1, times: 1 },
  { name: "in the middle, three times in a row", size: "small", kind: "cut", at: 100_000, times: 3 },
  { name: "in good order in the middle", size: "small", kind: "end", at: sizes.small / 2, times: 1 },
  { name: "in good order before its last byte", size: "small", kind: "end", at: -1, times: 1 },
  { name: "before its first byte", size: "large", kind: "cut", at: 0, times: 1 },
  { name: "after one MiB, three times in a row", size: "large", kind: "cut", at: 1024 ** 2, times: 3 },
  { name: "in good order after one MiB", size: "large", kind: "end", at: 1024 ** 2, times: 1 },
];

/** Downloads over a network that breaks. */
export const downloadTests: readonly ConformanceTest[] = [
  ...cuts.map(cutTest),
  {
    id: "faults/downloads/cut-for-ever",
    title: "a download whose every answer is cut before its first byte fails",
    rule: "refusals-end",
    kind: "ObjectStore",
    needs: ["network", "durable"],
    isSlow: true,
    timeoutMs: 300_000,
    run: async (t) => {
      const { direct, faulty, proxy } = await openTwoWays(t);
      const body = bodyOf("cut for ever", sizes.small);
      await direct.put(t.key("object"), body);
      proxy.judge((request) => (asksForContent(request) ? { kind: "cut", direction: "down", at: 0 } : undefined));

      const isWhole = await expectRightOrError(faulty, t.key("object"), body);

      assertMet(proxy);
      if (isWhole) throw new Error("the plugin read the object in a way that this test does not know");
    },
  },
];

function cutTest({ name, size, kind, at, times }: Cut): ConformanceTest {
  return {
    id: `faults/downloads/${size}-ends-${name.replaceAll(",", "").replaceAll(" ", "-")}`,
    title: `the get of a ${size} object whose answer ends ${name} fails or is whole`,
    rule: "cut-downloads-end-well-or-fail",
    kind: "ObjectStore",
    needs: ["network", "durable"],
    run: async (t) => {
      const { direct, faulty, proxy } = await openTwoWays(t);
      const body = bodyOf(name, sizes[size]);
      await direct.put(t.key("object"), body);
      const fault = { kind, direction: "down", at, leastBytes: leastContentBytes } as const;
      proxy.judge((request) => (asksForContent(request) && proxy.hits < times ? fault : undefined));

      await expectRightOrError(faulty, t.key("object"), body);

      assertMet(proxy);
    },
  };
}
