import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, expectEqual } from "../../expect.ts";
import { refusalNames, refusalOf } from "../../network/store-refusals.ts";
import type { PassingRequest, Verdict } from "../../network/http-fault-proxy.ts";
import type { RefusalName } from "../../network/store-refusals.ts";
import type { ConformanceTest } from "../../test.ts";
import { callsAtOnce } from "./calls-at-once.ts";
import {
  assertMet,
  carriesContent,
  expectNewOrFormer,
  expectNotGone,
  firstOnes,
  nameOf,
  openTwoWays,
  sizes,
} from "./two-ways.ts";

const needs = ["network", "durable"] as const;

/** A store that refuses for a while. */
export const stormTests: readonly ConformanceTest[] = [
  ...(["internalError", "unavailable", "slowDown", "tooMany"] as const).map(shortStormTest),
  {
    id: "faults/storms/large-objects",
    title: "a large object is put and got though every request is refused once with 503",
    rule: "survives-storms",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const { faulty, proxy } = await openTwoWays(t);
      const body = bodyOf("large storm", sizes.large);
      proxy.judge(refusingOnce(refusalNames.unavailable));

      await faulty.put(t.key("object"), body);

      expectBytes(await faulty.get(t.key("object")), body, "the object");
      assertMet(proxy);
    },
  },
  ...(["commit", "second-part"] as const).map(deniedTest),
  {
    id: "faults/storms/error-in-200",
    title: "a large put whose commit is answered with status 200 and an error is repeated or fails",
    rule: "cut-uploads-store-nothing",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const ways = await openTwoWays(t);
      // S3 sends its head before the work is done; the other APIs have no such answer, and nothing is judged there.
      const isMet = firstOnes(1, ({ method, path }) => method === "POST" && /[?&]uploadId=/.test(path));
      ways.proxy.judge((request) =>
        isMet(request) ? { ...refusalOf(request, refusalNames.internalError), status: 200 } : undefined,
      );

      await expectNewOrFormer(t, ways, sizes.large);
    },
  },
  {
    id: "faults/storms/for-ever",
    title: "every call ends in an error when the store answers 503 for good, and nothing is stored",
    rule: "refusals-end",
    kind: "ObjectStore",
    needs,
    isSlow: true,
    timeoutMs: 300_000,
    run: async (t) => {
      const { direct, faulty, proxy } = await openTwoWays(t);
      await direct.put(t.key("there"), bodyOf("there", 1000));
      proxy.judge((request) => refusalOf(request, refusalNames.unavailable));

      const outcomes = await callsAtOnce(t, faulty);

      for (const [name, outcome] of outcomes) {
        expect(outcome !== "ok", `${name} succeeded though the store refused every request`);
        expectNotGone(outcome, name);
      }
      expectEqual(await direct.listObjects(t.prefix), [t.key("there")], "the objects after all calls failed");
      expectBytes(await direct.get(t.key("there")), bodyOf("there", 1000), "the former object");
    },
  },
];

function shortStormTest(name: "internalError" | "unavailable" | "slowDown" | "tooMany"): ConformanceTest {
  const refusal: RefusalName = refusalNames[name];
  return {
    id: `faults/storms/${refusal.status}-${refusal.aws.toLowerCase()}`,
    title: `every call outlasts a store that refuses each request once with ${refusal.status} ${refusal.aws}`,
    rule: "survives-storms",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const { direct, faulty, proxy } = await openTwoWays(t);
      const body = bodyOf(name, sizes.small);
      await direct.put(t.key("there"), body);
      proxy.judge(refusingOnce(refusal));

      const [, read, exists, keys] = await Promise.all([
        faulty.put(t.key("object"), body),
        faulty.get(t.key("there")),
        faulty.exists(t.key("there")),
        faulty.listObjects(t.key("the")),
      ]);
      await faulty.delete(t.key("there"));

      assertMet(proxy);
      expectBytes(read, body, "the object that was read");
      expectEqual([exists, keys], [true, [t.key("there")]], "exists and listing");
      expectEqual(await direct.listObjects(t.prefix), [t.key("object")], "the objects at the end");
    },
  };
}

/** A permission that ends in the middle of a put, as with a token that expires. */
function deniedTest(from: "commit" | "second-part"): ConformanceTest {
  return {
    id: `faults/storms/denied-from-the-${from}`,
    title: `a large put that is denied from its ${from.replace("-", " ")} on fails and leaves the former object`,
    rule: "cut-uploads-store-nothing",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const ways = await openTwoWays(t);
      let parts = 0;
      ways.proxy.judge((request) => {
        if (carriesContent(request)) parts += 1;
        // Requests of the put itself: its clean-up and its looking around may pass.
        const isLate = carriesContent(request) ? parts > 1 && from === "second-part" : parts > 0;
        return isLate && /^(?:PUT|POST)$/.test(request.method) ? refusalOf(request, refusalNames.denied) : undefined;
      });

      const isStored = await expectNewOrFormer(t, ways, sizes.large);

      // A store whose puts are a single request has nothing to deny.
      expect(!isStored || ways.proxy.hits === 0, "a put succeeded though its last requests were denied");
    },
  };
}

/** A storm that every request has to pass once. */
function refusingOnce(name: RefusalName): (request: PassingRequest) => Verdict {
  const seen = new Set<string>();
  return (request) => {
    const text = nameOf(request);
    if (seen.has(text)) return undefined;
    seen.add(text);
    return refusalOf(request, name);
  };
}
