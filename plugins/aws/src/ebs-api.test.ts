import assert from "node:assert/strict";
import { test } from "node:test";
import { startStubServer } from "@flotilla/sdk/testing";
import { Ec2EbsApi } from "./ebs-api.ts";
import { Ec2Session } from "./ec2-session.ts";
import { quietCall, stubSettings } from "./testing/call.ts";

const next = "<nextToken>page two &amp; on</nextToken>";

function page(id: string, token: string): string {
  const item = `<item><snapshotId>${id}</snapshotId></item>`;
  return `<DescribeSnapshotsResponse><snapshotSet>${item}</snapshotSet>${token}</DescribeSnapshotsResponse>`;
}

test("a list of snapshots goes on to its last page", async (t) => {
  const server = await startStubServer(t, ({ body }) => ({
    headers: { "content-type": "text/xml" },
    body: body.includes("NextToken=page%20two%20%26%20on") ? page("snap-2", "") : page("snap-1", next),
  }));
  const session = new Ec2Session(await stubSettings(server.url));

  const found = await Array.fromAsync(new Ec2EbsApi(session).listSnapshots([], quietCall));

  assert.deepEqual(
    found.map(({ SnapshotId }) => SnapshotId),
    ["snap-1", "snap-2"],
  );
  assert.equal(server.seen.length, 2);
});
