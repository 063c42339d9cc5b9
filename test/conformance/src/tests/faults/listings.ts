import { expect } from "../../expect.ts";
import { refusalNames, refusalOf } from "../../network/store-refusals.ts";
import type { PassingRequest, Verdict } from "../../network/http-fault-proxy.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { assertMet, expectNotGone, openTwoWays, outcomeOf } from "./two-ways.ts";

/** More than a page of S3 and of GCS. */
const keyCount = 1010;

type Judge = (request: PassingRequest) => Verdict;

const denied: Judge = (request) => refusalOf(request, refusalNames.denied);
const cut: Judge = () => ({ kind: "end", direction: "down", at: 100 });
const empty: Judge = () => ({ kind: "refuse", status: 200, headers: { "content-type": "application/xml" }, body: "" });

const base = {
  kind: "ObjectStore",
  needs: ["network", "durable", "many-keys"],
  timeoutMs: 300_000,
} as const;

/** Listings that break between two pages. */
export const listingTests: readonly ConformanceTest[] = [
  {
    id: "faults/listings/last-page-fails",
    title: "a listing whose last page is denied or cut is an error or complete, never short",
    rule: "broken-lists-are-errors",
    ...base,
    run: async (t) => expectNeverShort(t, { "is denied": denied, "is cut": cut }),
  },
  {
    id: "faults/listings/last-page-empty",
    title: "a listing whose last page is an empty answer of status 200 is an error or complete, never short",
    rule: "empty-answers-are-no-lists",
    ...base,
    run: async (t) => expectNeverShort(t, { "is empty": empty }),
  },
];

async function expectNeverShort(t: TestContext, faults: Readonly<Record<string, Judge>>): Promise<void> {
  const { direct, faulty, proxy } = await openTwoWays(t);
  const keys = Array.from({ length: keyCount }, (_, i) => t.key(String(i).padStart(5, "0")));
  await putAll(direct, keys);
  const before = proxy.requests.length;
  await faulty.listObjects(t.prefix);
  const pages = proxy.requests.length - before;
  for (const [what, judge] of Object.entries(faults)) {
    const first = proxy.requests.length;
    const { hits } = proxy;
    // Once, since a client may ask again for as long as nobody stops it.
    proxy.judge((request) => (request.index >= first + pages - 1 && proxy.hits === hits ? judge(request) : undefined));

    const list = faulty.listObjects(t.prefix);
    const outcome = await outcomeOf(list);

    assertMet(proxy);
    if (outcome === "ok") {
      const seen = new Set(await list);
      const missing = keys.filter((key) => !seen.has(key));
      const about = `${missing.length} of ${keyCount} keys, ${missing[0] ?? "none"} first`;
      expect(missing.length === 0, `a listing whose last page ${what} ended without an error and lacks ${about}`);
    } else expectNotGone(outcome, "the listing");
  }
}

async function putAll(store: ObjectStoreSession, keys: readonly string[]): Promise<void> {
  const waiting = keys.values();
  const worker = async (): Promise<void> => {
    for (const key of waiting) await store.put(key, Buffer.from("x"));
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
