import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { GoogleTokens } from "../google-identity/tokens.ts";
import { GceContext, messageOf, reasonOf } from "../probes/gce/context.ts";
import type { Json } from "../probes/gce/context.ts";
import { gcpDefaults } from "./seeds.ts";
import { startGce } from "./start-gce.ts";
import type { GceOptions, GceStandIn } from "./start-gce.ts";

const { projectId: project, zone, serviceAccount: member } = gcpDefaults;
const tokens = new GoogleTokens();
const closing: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closing) await close();
});

async function start(options: GceOptions = {}): Promise<{ readonly gce: GceStandIn; readonly context: GceContext }> {
  const gce = await startGce({ tokens, disks: [{ name: "data" }], ...options });
  const context = new GceContext({
    endpoint: gce.url,
    project,
    token: tokens.issue(member),
    region: gcpDefaults.region,
    zones: ["us-central1-a", "us-central1-b"],
    otherZone: "europe-west1-b",
    kmsKey: "",
  });
  closing.push(async () => {
    context.close();
    await gce.close();
  });
  return { gce, context };
}

const snapshotOfData = `/zones/${zone}/disks/data/createSnapshot`;

async function operationOf(context: GceContext, answer: { readonly body: Json }): Promise<Json> {
  return (await context.send("GET", `/zones/${zone}/operations/${String(answer.body["name"])}`)).body;
}

describe("operations of the Compute Engine stand-in", () => {
  test("an operation that fails was answered with 200, and its snapshot is a failed one", async () => {
    const { gce, context } = await start();
    gce.failNext(`projects/${project}/zones/${zone}/disks/data`, {
      code: "INTERNAL_ERROR",
      message: "Lost.",
      status: 500,
    });

    const answer = await context.send("POST", snapshotOfData, { name: "snap" });

    assert.equal(answer.status, 200);
    const operation = await operationOf(context, answer);
    assert.deepEqual(operation["error"], { errors: [{ code: "INTERNAL_ERROR", message: "Lost." }] });
    assert.equal(operation["httpErrorStatusCode"], 500);
    assert.equal(gce.find(`projects/${project}/global/snapshots/snap`)?.["status"], "FAILED");
  });

  test("the copying of a snapshot can fail when its operation is done without an error", async () => {
    let nowMs = Date.now();
    const { gce, context } = await start({ uploadMs: 100_000, now: () => new Date(nowMs) });
    const failure = { code: "INTERNAL_ERROR", message: "Lost later." };
    gce.failNext(`projects/${project}/zones/${zone}/disks/data`, failure, "upload");

    const answer = await context.send("POST", snapshotOfData, { name: "snap" });

    assert.equal((await operationOf(context, answer))["error"], undefined);
    assert.equal(gce.find(`projects/${project}/global/snapshots/snap`)?.["status"], "UPLOADING");
    nowMs += 100_001;
    assert.equal(gce.find(`projects/${project}/global/snapshots/snap`)?.["status"], "FAILED");
  });

  test("a disk whose operation fails never was", async () => {
    const { gce, context } = await start();
    gce.failNext(`projects/${project}/zones/${zone}/disks/other`, {
      code: "ZONE_RESOURCE_POOL_EXHAUSTED",
      message: "No.",
    });

    const answer = await context.send("POST", `/zones/${zone}/disks`, { name: "other", sizeGb: "10" });

    assert.equal(answer.status, 200);
    assert.equal((await context.send("GET", `/zones/${zone}/disks/other`)).status, 404);
  });

  test("wait answers with an operation that goes on when its time is over, and waits where it is not", async () => {
    const startedMs = Date.now();
    let isStopped = true;
    const now = (): Date => new Date(isStopped ? startedMs : Date.now());
    const { gce, context } = await start({ pendingMs: 400, waitMs: 10, now });
    const { body } = await context.send("POST", snapshotOfData, { name: "snap" });
    const path = `/zones/${zone}/operations/${String(body["name"])}/wait`;

    const early = await context.send("POST", path);
    isStopped = false;
    gce.configure({ waitMs: 60_000 });
    const late = await context.send("POST", path);

    assert.notEqual(early.body["status"], "DONE");
    assert.equal(late.body["status"], "DONE");
  });

  test("a write whose answer is lost is done, and its request id finds it again", async () => {
    const { gce, context } = await start();
    gce.faults.add({ kind: "lose-response" }, { operation: "disks.createSnapshot" });
    const path = `${snapshotOfData}?requestId=${crypto.randomUUID()}`;
    await assert.rejects(context.send("POST", path, { name: "snap" }));

    const again = await context.send("POST", path, { name: "snap" });

    assert.deepEqual([again.status, again.body["operationType"]], [200, "createSnapshot"]);
  });

  test("disks, snapshots and operations outlive a restart", async () => {
    const stateDir = await mkdtemp(join(tmpdir(), "gce-state-"));
    closing.push(() => rm(stateDir, { recursive: true }));
    const first = await start({ stateDir });
    const { body } = await first.context.send("POST", snapshotOfData, { name: "snap" });
    await first.gce.close();

    const { context } = await start({ stateDir });

    assert.equal((await context.send("GET", "/global/snapshots/snap")).body["status"], "READY");
    assert.equal((await operationOf(context, { body }))["status"], "DONE");
  });
});

describe("refusals of the Compute Engine stand-in", () => {
  test("one snapshot more than the quota is 403 quotaExceeded with the numbers, and none is there", async () => {
    const { gce, context } = await start({ quotas: { snapshots: 1 }, snapshots: [{ name: "one" }] });

    const answer = await context.send("POST", snapshotOfData, { name: "two" });

    assert.deepEqual([answer.status, reasonOf(answer)], [403, "quotaExceeded"]);
    assert.match(messageOf(answer), /Quota 'SNAPSHOTS' exceeded\. {2}Limit: 1\.0 globally\./);
    assert.equal(gce.find(`projects/${project}/global/snapshots/two`), undefined);
    const { quotas } = (await context.send("GET", "")).body;
    assert.deepEqual(quotas, [{ metric: "SNAPSHOTS", limit: 1, usage: 1 }]);
  });

  test("an exceeded quota can be told by the operation instead", async () => {
    const { gce, context } = await start({ quotas: { ssdTotalGb: 15 } });
    gce.configure({ quotaFailure: "operation" });

    const type = context.typeLink("pd-ssd");
    const answer = await context.send("POST", `/zones/${zone}/disks`, { name: "more", sizeGb: "10", type });

    assert.equal(answer.status, 200);
    assert.match(JSON.stringify((await operationOf(context, answer))["error"]), /QUOTA_EXCEEDED.*SSD_TOTAL_GB/);
    assert.equal(gce.find(`projects/${project}/zones/${zone}/disks/more`), undefined);
  });

  const denied: readonly (readonly [string, string, Json])[] = [
    ["compute.disks.createSnapshot", snapshotOfData, { name: "snap" }],
    ["compute.snapshots.create", snapshotOfData, { name: "snap" }],
    ["compute.snapshots.setLabels", snapshotOfData, { name: "snap", labels: { a: "b" } }],
    ["compute.disks.create", `/zones/${zone}/disks`, { name: "new", sizeGb: "10" }],
    ["compute.disks.setLabels", `/zones/${zone}/disks`, { name: "new", sizeGb: "10", labels: { a: "b" } }],
    ["compute.snapshots.useReadOnly", `/zones/${zone}/disks`, { name: "new", sourceSnapshot: "global/snapshots/one" }],
  ];
  for (const [permission, path, body] of denied) {
    test(`without ${permission} the refusal names it, and nothing is made`, async () => {
      const { gce, context } = await start({ snapshots: [{ name: "one" }] });
      const allow = gce.deny({ permissions: [permission], member });

      const answer = await context.send("POST", path, body);
      allow();

      assert.deepEqual([answer.status, reasonOf(answer)], [403, "forbidden"]);
      assert.match(messageOf(answer), new RegExp(`^Required '${permission}' permission for 'projects/${project}/`));
      assert.equal((await context.send("POST", path, body)).status, 200);
    });
  }

  test("without labels the permission to set them is not needed", async () => {
    const { gce, context } = await start();
    gce.deny({ permissions: ["compute.snapshots.setLabels"] });

    assert.equal((await context.send("POST", snapshotOfData, { name: "snap" })).status, 200);
  });

  test("a region that refuses refuses its zones too, and only them", async () => {
    const { gce, context } = await start({ disks: [{ name: "data" }, { name: "far", zone: "europe-west1-b" }] });
    gce.refuseRegion(gcpDefaults.region);

    const answer = await context.send("GET", `/zones/${zone}/disks/data`);

    assert.deepEqual([answer.status, reasonOf(answer)], [503, "backendError"]);
    assert.equal((await context.send("GET", "/zones/europe-west1-b/disks/far")).status, 200);
    gce.acceptRegion(gcpDefaults.region);
    assert.equal((await context.send("GET", `/zones/${zone}/disks/data`)).status, 200);
  });

  test("a disk that is attached is not deleted", async () => {
    const { context } = await start({ disks: [{ name: "used", users: ["vm"] }] });

    const answer = await context.send("DELETE", `/zones/${zone}/disks/used`);

    assert.deepEqual([answer.status, reasonOf(answer)], [400, "resourceInUseByAnotherResource"]);
    assert.match(messageOf(answer), /instances\/vm/);
  });

  test("a snapshot is not deleted while a disk is made of it", async () => {
    const { gce, context } = await start({ snapshots: [{ name: "one" }], pendingMs: 60_000 });
    await context.send("POST", `/zones/${zone}/disks`, { name: "new", sourceSnapshot: "global/snapshots/one" });

    const answer = await context.send("DELETE", "/global/snapshots/one");

    assert.equal(reasonOf(answer), "resourceInUseByAnotherResource");
    assert.equal(gce.find(`projects/${project}/zones/${zone}/disks/new`)?.["status"], "RESTORING");
  });

  test("a key that was taken away is named where it is used", async () => {
    const key = "projects/flotilla/locations/us/keyRings/ring/cryptoKeys/key";
    const { gce, context } = await start({ kmsKeys: [key] });
    gce.kmsKeys.delete(key);

    const body = { name: "snap", snapshotEncryptionKey: { kmsKeyName: key } };
    const answer = await context.send("POST", snapshotOfData, body);

    assert.deepEqual([answer.status, reasonOf(answer)], [400, "kmsPermissionDenied"]);
  });

  test("a project that does not exist is 404", async () => {
    const { gce } = await start();
    const headers = { authorization: `Bearer ${tokens.issue(member)}` };

    const answer = await fetch(`${gce.url}/compute/v1/projects/other/global/snapshots`, { headers });

    assert.equal(answer.status, 404);
  });

  test("a token of too narrow a scope is 403 insufficientPermissions", async () => {
    const { context } = await start();
    const narrow = tokens.issue(member, ["https://www.googleapis.com/auth/devstorage.read_write"]);

    const answer = await context.send("GET", "/global/snapshots", undefined, narrow);

    assert.deepEqual([answer.status, reasonOf(answer)], [403, "insufficientPermissions"]);
  });

  test("a fault is worded as the API does", async () => {
    const { gce, context } = await start();
    gce.faults.add({ kind: "error", status: 503, code: "backendError" }, { operation: "disks.get" });

    const answer = await context.send("GET", `/zones/${zone}/disks/data`);

    assert.deepEqual([answer.status, reasonOf(answer)], [503, "backendError"]);
  });
});
