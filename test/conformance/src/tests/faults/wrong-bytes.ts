import { bodyOf } from "../../bodies.ts";
import type { ConformanceTest } from "../../test.ts";
import { asksForContent, assertMet, carriesContent, expectNewOrFormer } from "./two-ways.ts";
import { expectRightOrError, firstOnes, leastContentBytes, openTwoWays, sizes } from "./two-ways.ts";

interface Flip {
  readonly name: string;
  readonly size: keyof typeof sizes;
  /** Of each body that is changed. */
  readonly at: number;
  /** How many bodies in a row; all of them for Infinity. */
  readonly times: number;
}

const flips: readonly Flip[] = [
  { name: "the first byte", size: "small", at: 0, times: 1 },
  { name: "a byte in the middle", size: "small", at: sizes.small / 2, times: 1 },
  { name: "a byte in the middle, every time", size: "small", at: sizes.small / 2, times: Infinity },
  { name: "the last byte, every time", size: "small", at: -1, times: Infinity },
  { name: "a byte of every body", size: "large", at: 1_000_000, times: Infinity },
];

const needs = ["network", "durable"] as const;

/** Single bits that turn over on the way, which TCP's sum of 16 bits does not always notice. */
export const wrongBytesTests: readonly ConformanceTest[] = [...flips.map(downTest), ...flips.map(upTest)];

function idOf(direction: string, { name, size }: Flip): string {
  return `faults/wrong-bytes/${direction}-${size}-${name.replaceAll(",", "").replaceAll(" ", "-")}`;
}

function downTest(flip: Flip): ConformanceTest {
  const { name, size, at, times } = flip;
  return {
    id: idOf("down", flip),
    title: `a get of a ${size} object never delivers it as good when ${name} changed on the way down`,
    rule: "wrong-bytes-never-pass",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const { direct, faulty, proxy } = await openTwoWays(t);
      const body = bodyOf(name, sizes[size]);
      await direct.put(t.key("object"), body);
      const fault = { kind: "corrupt", direction: "down", at, leastBytes: leastContentBytes } as const;
      proxy.judge((request) => (asksForContent(request) && proxy.hits < times ? fault : undefined));

      await expectRightOrError(faulty, t.key("object"), body);

      assertMet(proxy);
    },
  };
}

function upTest(flip: Flip): ConformanceTest {
  const { name, size, at, times } = flip;
  return {
    id: idOf("up", flip),
    title: `a put of a ${size} object never stores it as good when ${name} changed on the way up`,
    rule: "wrong-bytes-are-never-stored",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const ways = await openTwoWays(t);
      const isMet = firstOnes(times, carriesContent);
      ways.proxy.judge((request) => (isMet(request) ? { kind: "corrupt", direction: "up", at } : undefined));

      await expectNewOrFormer(t, ways, sizes[size]);

      assertMet(ways.proxy);
    },
  };
}
