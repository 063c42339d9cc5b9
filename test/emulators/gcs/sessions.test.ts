import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { GoogleTokens } from "../google-identity/tokens.ts";
import { GcsContext, hashesOf, jsonOf } from "../probes/gcs/context.ts";
import { startGcs } from "./start-gcs.ts";
import type { GcsStandIn } from "./start-gcs.ts";

const quantum = 256 * 1024;
const bucket = "sessions";
const member = "velero@flotilla.iam.gserviceaccount.com";
const stateDir = await mkdtemp(join(tmpdir(), "gcs-sessions-"));
const tokens = new GoogleTokens();
let nowMs = Date.now();
let gcs: GcsStandIn = await start();
after(async () => {
  await gcs.close();
  await rm(stateDir, { recursive: true });
});

async function start(): Promise<GcsStandIn> {
  return await startGcs({ stateDir, tokens, buckets: [bucket], now: () => new Date(nowMs) });
}

function open(): GcsContext {
  return new GcsContext({ endpoint: gcs.url, projectId: "flotilla", token: tokens.issue(member) });
}

describe("upload sessions and state of the GCS stand-in", () => {
  test("a session is over after a week", async () => {
    const context = open();
    const session = await context.begin(bucket, context.name());
    nowMs += 7 * 24 * 3_600_000;

    assert.equal((await context.chunk(session, "*/*")).status, 410);
    assert.equal((await context.chunk(session, "0-0/1", Buffer.from("x"))).status, 410);
  });

  test("a session that was ended by a wrong hash is over", async () => {
    const context = open();
    const session = await context.begin(bucket, context.name(), { resource: { crc32c: "AAAAAA==" } });
    assert.equal((await context.chunk(session, "0-0/1", Buffer.from("x"))).status, 400);

    assert.equal((await context.chunk(session, "*/*")).status, 410);
  });

  test("more bytes than were announced are refused", async () => {
    const context = open();
    const headers = { "x-upload-content-length": "5" };
    const session = await context.begin(bucket, context.name(), { headers });

    assert.equal((await context.chunk(session, "0-5/6", Buffer.from("longer"))).status, 400);
  });

  test("a request that says more bytes than it brings is refused", async () => {
    const context = open();
    const session = await context.begin(bucket, context.name());

    assert.equal((await context.chunk(session, "0-9/10", Buffer.from("short"))).status, 400);
  });

  test("a session needs no token, and what it overwrites needs the permission of who began it", async () => {
    const context = open();
    const file = await context.put("former", context.storage.bucket(bucket));
    const session = await context.begin(bucket, file.name);
    const allow = gcs.deny({ permissions: ["storage.objects.delete"], member });

    const answer = await fetch(session, { method: "PUT", headers: { "content-range": "bytes 0-2/3" }, body: "new" });
    allow();

    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /velero@flotilla.* does not have storage\.objects\.delete access/);
    assert.equal((await file.download())[0].toString("utf8"), "former");
  });

  test("open uploads are told, and cancelled ones are none", async () => {
    const context = open();
    const name = context.name();
    const session = await context.begin(bucket, name);
    assert.ok(gcs.openUploads(bucket).includes(name));

    await context.send("DELETE", session, { headers: { "content-length": "0" } });

    assert.ok(!gcs.openUploads(bucket).includes(name));
  });

  test("objects and half an upload outlive a restart", async () => {
    const context = open();
    const bytes = randomBytes(2 * quantum);
    const file = await context.put("before", context.storage.bucket(bucket));
    const name = context.name();
    const session = new URL(await context.begin(bucket, name));
    await context.chunk(session.href, `0-${quantum - 1}/*`, bytes.subarray(0, quantum));
    await gcs.close();
    gcs = await start();

    const again = open();
    const path = `${gcs.url}${session.pathname}${session.search}`;
    const answer = await again.chunk(path, `${quantum}-${2 * quantum - 1}/${2 * quantum}`, bytes.subarray(quantum));

    assert.equal(answer.status, 200);
    assert.equal(jsonOf(answer)["crc32c"], hashesOf(bytes).crc32c);
    assert.equal(
      (await again.send("GET", `/storage/v1/b/${bucket}/o/${file.name}?alt=media`)).body.toString(),
      "before",
    );
  });
});

describe("permissions of the GCS stand-in", () => {
  const refused: readonly (readonly [string, string, (context: GcsContext, name: string) => Promise<unknown>])[] = [
    ["storage.objects.get", "object", (c, name) => c.storage.bucket(bucket).file(name).getMetadata()],
    ["storage.objects.list", "bucket", (c) => c.storage.bucket(bucket).getFiles()],
    ["storage.objects.create", "object", (c) => c.put("x", c.storage.bucket(bucket))],
    ["storage.objects.delete", "object", (c, name) => c.storage.bucket(bucket).file(name).delete()],
    ["storage.buckets.get", "bucket", (c) => c.storage.bucket(bucket).getMetadata()],
  ];
  for (const [permission, what, request] of refused) {
    test(`without ${permission} the refusal names it`, async () => {
      const context = open();
      const { name } = await context.put("x", context.storage.bucket(bucket));
      const allow = gcs.deny({ permissions: [permission], member, bucket });

      const answer = request(context, name);

      await assert.rejects(answer, {
        message: `${member} does not have ${permission} access to the Google Cloud Storage ${what}. Permission '${permission}' denied on resource (or it may not exist).`,
        code: 403,
      });
      allow();
    });
  }

  test("who may not list is not told by a read that an object does not exist", async () => {
    const context = open();
    const { name } = await context.put("x", context.storage.bucket(bucket));
    const allow = gcs.deny({ permissions: ["storage.objects.list"], member });

    const absent = await context.send("GET", `/storage/v1/b/${bucket}/o/absent`);
    const present = await context.send("GET", `/storage/v1/b/${bucket}/o/${name}`);
    allow();

    assert.deepEqual([absent.status, present.status], [403, 200]);
    assert.match(absent.body.toString("utf8"), /storage\.objects\.list access/);
  });

  test("a token of too narrow a scope is refused for writing and good for reading", async () => {
    const { name } = await open().put("x", open().storage.bucket(bucket));
    const token = tokens.issue(member, ["https://www.googleapis.com/auth/devstorage.read_only"]);
    const context = new GcsContext({ endpoint: gcs.url, projectId: "flotilla", token });

    assert.equal((await context.send("GET", `/storage/v1/b/${bucket}/o/${name}`)).status, 200);
    assert.equal((await context.send("DELETE", `/storage/v1/b/${bucket}/o/${name}`)).status, 403);
  });

  test("an expired token is 401", async () => {
    const token = tokens.issue(member, undefined, -1000);
    const context = new GcsContext({ endpoint: gcs.url, projectId: "flotilla", token });

    assert.equal((await context.send("GET", `/storage/v1/b/${bucket}/o`)).status, 401);
  });
});
