import assert from "node:assert/strict";
import { test } from "node:test";

import { nextPageOf } from "./s3-listing.ts";

const attempt = { action: 'list "a/" in bucket "b"' };

test("an answer that does not say whether it is truncated is no listing", () => {
  assert.throws(() => nextPageOf({}, attempt), {
    kind: "unavailable",
    message: /list "a\/" in bucket "b".*no whole listing/,
  });
});

test("a truncated listing without a token is no whole listing", () => {
  assert.throws(() => nextPageOf({ IsTruncated: true }, attempt), { kind: "unavailable" });
});

test("the last page has no next one", () => {
  assert.equal(nextPageOf({ IsTruncated: false }, attempt), undefined);
});

test("a truncated page names the next one", () => {
  assert.equal(nextPageOf({ IsTruncated: true, NextContinuationToken: "t" }, attempt), "t");
});
