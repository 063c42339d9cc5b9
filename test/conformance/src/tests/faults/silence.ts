import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import { callsAtOnce } from "./calls-at-once.ts";
import { asksForContent, assertMet, carriesContent, expectNotGone } from "./two-ways.ts";
import { openTwoWays, outcomeOf, sizes } from "./two-ways.ts";

const silenceBound = { isSlow: true, timeoutMs: 15 * 60_000, needs: ["network", "durable"] } as const;

/** A store that accepts and then says nothing: what a router looks like that lost the connection's state. */
export const silenceTests: readonly ConformanceTest[] = [
  {
    id: "faults/silence/no-answer",
    title: "every call ends in an error when the store accepts requests and never answers",
    rule: "silence-ends",
    kind: "ObjectStore",
    ...silenceBound,
    run: async (t) => {
      const { direct, faulty, proxy } = await openTwoWays(t);
      await direct.put(t.key("there"), bodyOf("there", 1000));
      proxy.judge(() => ({ kind: "stall", direction: "up", at: 0 }));

      const outcomes = await callsAtOnce(t, faulty);

      assertMet(proxy);
      for (const [name, outcome] of outcomes) {
        expect(outcome !== "ok", `${name} succeeded though the store never answered`);
        expectNotGone(outcome, name);
      }
      expectBytes(await direct.get(t.key("there")), bodyOf("there", 1000), "the former object");
    },
  },
  {
    id: "faults/silence/in-the-middle",
    title: "a put and a get end in an error when the store falls silent in the middle of each",
    rule: "silence-ends",
    kind: "ObjectStore",
    ...silenceBound,
    run: async (t) => {
      const { direct, faulty, proxy } = await openTwoWays(t);
      await direct.put(t.key("there"), bodyOf("there", sizes.small));
      const before = proxy.hits;
      proxy.judge((request) => {
        if (carriesContent(request)) return { kind: "stall", direction: "up", at: 300_000 };
        // Silent from the start after the first time: a get that is resumed may take any byte for progress.
        const at = proxy.hits === before ? 300_000 : 0;
        return asksForContent(request) ? { kind: "stall", direction: "down", at, leastBytes: at } : undefined;
      });

      const [put, get] = await Promise.all([
        outcomeOf(faulty.put(t.key("object"), bodyOf("object", sizes.small))),
        outcomeOf(faulty.get(t.key("there"))),
      ]);

      assertMet(proxy);
      expect(put !== "ok", "a put whose content never arrived succeeded");
      expect(get !== "ok", "a get whose content never arrived succeeded");
      for (const error of [put, get]) expectNotGone(error, "the call");
      expect(!(await direct.exists(t.key("object"))), "an object is visible though its put failed");
    },
  },
];
