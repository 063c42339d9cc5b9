import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { CopyObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";

import { failureOf } from "../probes/probe.ts";
import { S3Context } from "../probes/s3/context.ts";
import { startS3 } from "./start-s3.ts";

const stateDir = await mkdtemp(join(tmpdir(), "s3-faults-"));
const accessKeyId = "AKIAFAULTS";
const secretAccessKey = "faults-secret";
const s3 = await startS3({ stateDir, accounts: [{ accessKeyId, secretAccessKey }] });
const target = { endpoint: s3.url, accessKeyId, secretAccessKey, region: "us-east-1", otherRegion: "eu-west-1" };
const context = new S3Context(target);
after(async () => {
  s3.faults.clear();
  context.close();
  await s3.close();
  await rm(stateDir, { recursive: true });
});

const body = randomBytes(200_000);

async function stored(): Promise<string> {
  const Key = context.key();
  await context.put({ Key, Body: body });
  return Key;
}

describe("faults of the S3 stand-in", { concurrency: true }, () => {
  test("an error meets as many matching requests as were asked for, and no other", async () => {
    const Key = await stored();
    const fault = s3.faults.add({ kind: "error", status: 503, code: "SlowDown" }, { key: Key }, { times: 2, skip: 1 });

    const outcomes: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      outcomes.push(
        await context.get({ Key }).then(
          () => "ok",
          (error: Error) => error.name,
        ),
      );
    }

    assert.deepEqual(outcomes, ["ok", "SlowDown", "SlowDown", "ok"]);
    assert.equal(fault.hits, 2);
  });

  test("a put whose connection is cut leaves nothing", async () => {
    const Key = context.key();
    s3.faults.add({ kind: "cut-request", afterBytes: 50_000 }, { key: Key, operation: "PutObject" });

    await assert.rejects(context.put({ Key, Body: body }));

    assert.equal((await failureOf(context.get({ Key }))).code, "NoSuchKey");
  });

  test("a put whose answer is lost is stored", async () => {
    const Key = context.key();
    s3.faults.add({ kind: "lose-response" }, { key: Key, method: "PUT" });

    await assert.rejects(context.put({ Key, Body: body }));

    assert.deepEqual((await context.get({ Key })).bytes, body);
  });

  test("an answer is cut after its bytes", async () => {
    const Key = await stored();
    s3.faults.add({ kind: "cut-response", afterBytes: 1000 }, { key: Key });

    await assert.rejects(context.get({ Key }));
  });

  test("one byte of an answer is changed, and its checksum shows it", async () => {
    const Key = await stored();
    s3.faults.add({ kind: "corrupt-response", atByte: 150_000 }, { key: Key }, { times: 2 });
    const quiet = context.newClient({ responseChecksumValidation: "WHEN_REQUIRED" });

    await assert.rejects(context.get({ Key, ChecksumMode: "ENABLED" }), /[Cc]hecksum/);

    const { Body } = await quiet.send(new GetObjectCommand({ Bucket: await context.bucket(), Key }));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    assert.equal(bytes.filter((byte, index) => byte !== body[index]).length, 1);
  });

  test("a checksum in an answer is that of other bytes", async () => {
    const Key = await stored();
    s3.faults.add({ kind: "lie-checksum" }, { key: Key });

    await assert.rejects(context.get({ Key, ChecksumMode: "ENABLED" }), /[Cc]hecksum/);
  });

  test("an error comes in an answer of status 200", async () => {
    const Key = context.key();
    const source = await stored();
    s3.faults.add({ kind: "error-in-200", code: "InternalError" }, { key: Key });
    const Bucket = await context.bucket();

    const copy = context.client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${source}` }));

    assert.equal((await failureOf(copy)).code, "InternalError");
    assert.equal((await failureOf(context.get({ Key }))).code, "NoSuchKey");
  });

  test("a delay holds the request back", async () => {
    const Key = await stored();
    s3.faults.add({ kind: "delay", ms: 120 }, { key: Key });
    const started = performance.now();

    await context.get({ Key });

    assert.ok(performance.now() - started >= 115);
  });

  test("a stall that is cleared away ends a request that has met it and comes to it only then", async () => {
    const own = await startS3({ stateDir: join(stateDir, "cleared"), accounts: [{ accessKeyId, secretAccessKey }] });
    const stalled = new S3Context({ ...target, endpoint: own.url });
    const Bucket = await stalled.bucket();
    const fault = own.faults.add({ kind: "stall-request", afterBytes: 10 }, { operation: "PutObject" });
    const Body = new PassThrough();
    const putting = stalled.client.send(new PutObjectCommand({ Bucket, Key: "late", Body, ContentLength: 100 }));
    const ended = failureOf(putting);
    Body.write(Buffer.alloc(1));
    while (fault.hits === 0) await delay(5);

    own.faults.clear();
    Body.end(Buffer.alloc(99));

    assert.equal((await ended).status, 0);
    stalled.close();
    await own.close();
  });

  for (const kind of ["stall-request", "stall-response"] as const) {
    test(`a ${kind} ends only with the connection`, async () => {
      const own = await startS3({ stateDir: join(stateDir, kind), accounts: [{ accessKeyId, secretAccessKey }] });
      const stalled = new S3Context({ ...target, endpoint: own.url });
      const Key = "stalled";
      await stalled.put({ Key, Body: body });
      const fault = own.faults.add({ kind, afterBytes: 10 }, { key: Key });
      const request = kind === "stall-request" ? stalled.put({ Key, Body: body }) : stalled.get({ Key });
      const outcome = request.then(
        () => "ended well",
        () => "failed",
      );

      while (fault.hits === 0) await delay(5);
      const early = await Promise.race([outcome, delay(200, "waiting")]);
      await own.close();

      assert.deepEqual([early, await outcome], ["waiting", "failed"]);
      stalled.close();
    });
  }
});
