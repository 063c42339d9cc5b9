import assert from "node:assert/strict";
import { test } from "node:test";
import { quietCall } from "./testing/call.ts";
import { json, openStubBucket } from "./testing/stub-bucket.ts";

test("a listing goes on after an empty page, and ends at an empty token as at none", async (t) => {
  const pages = [
    { nextPageToken: "one" },
    { items: [{ name: "a" }], prefixes: ["p/"], nextPageToken: "two" },
    { items: [{ name: "b" }], nextPageToken: "" },
  ];
  const { driver, seen } = await openStubBucket(t, () =>
    json(pages[seen.length - 1] ?? { nextPageToken: "on and on" }),
  );

  const keys: string[] = [];
  for await (const page of driver.list({ prefix: "", delimiter: "/" }, quietCall)) {
    keys.push(...page.keys, ...page.commonPrefixes);
    assert.ok(seen.length <= pages.length, "the listing begins anew");
  }

  assert.deepEqual(keys, ["a", "p/", "b"]);
});
