import assert from "node:assert/strict";
import { test } from "node:test";
import { leftoverAgeMs, removeLeftovers } from "./s3-leftovers.ts";
import { quietCall } from "./testing/call.ts";
import { openStubBucket } from "./testing/stub-bucket.ts";
import { s3Error } from "./testing/s3-error.ts";
import type { StubAnswer } from "@flotilla/sdk/testing";

const nowMs = Date.UTC(2026, 0, 31);

function uploads(...entries: readonly (readonly [key: string, ageMs: number])[]): StubAnswer {
  const list = entries.map(
    ([key, ageMs]) =>
      `<Upload><Key>${key}</Key><UploadId>U-${key}</UploadId><Initiated>${new Date(nowMs - ageMs).toISOString()}</Initiated></Upload>`,
  );
  return { headers: { "content-type": "application/xml" }, body: `<R>${list.join("")}</R>` };
}

test("old uploads below this location's backups and restores are aborted, no others", async (t) => {
  const listing = uploads(
    ["p/backups/old", leftoverAgeMs + 1],
    ["p/backups/young", leftoverAgeMs - 1],
    ["q/backups/other", leftoverAgeMs + 1],
    ["p/kopia/other", leftoverAgeMs + 1],
    ["p/restores/old", leftoverAgeMs + 1],
  );
  const { session, server } = await openStubBucket(t, ({ method }) => (method === "GET" ? listing : { status: 204 }));

  await removeLeftovers(session, "p", nowMs, quietCall);

  const aborted = server.seen.filter(({ method }) => method === "DELETE").map(({ url }) => url.split("?")[0]);
  assert.deepEqual(aborted, ["/b/p/backups/old", "/b/p/restores/old"]);
  assert.deepEqual(
    server.seen
      .filter(({ method }) => method === "GET")
      .map(({ url }) => new URLSearchParams(url.split("?")[1]).get("prefix")),
    ["p/backups/", "p/restores/"],
  );
});

test("without the permission nothing is said", async (t) => {
  const { session } = await openStubBucket(t, () => s3Error(403, "AccessDenied"));

  await removeLeftovers(session, "", nowMs, quietCall);
});
