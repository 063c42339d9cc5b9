import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

import { defaultAccount } from "../accounts.ts";
import { failureOf } from "../probes/probe.ts";
import { startS3 } from "./start-s3.ts";

const stateDir = await mkdtemp(join(tmpdir(), "s3-lost-"));
const regions = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"];
const buckets = ["near", "refuses", "closes", "hangs"].map((name, index) => ({ name, region: regions[index] ?? "" }));
const s3 = await startS3({ stateDir, buckets, regions });
const clients = new Map<string, S3Client>();
after(async () => {
  for (const client of clients.values()) client.destroy();
  await s3.close();
  await rm(stateDir, { recursive: true });
});

function clientIn(region: string): S3Client {
  const settings = { endpoint: s3.url, region, forcePathStyle: true, maxAttempts: 1, credentials: defaultAccount };
  const client = clients.get(region) ?? new S3Client(settings);
  clients.set(region, client);
  return client;
}

function get(bucket: string, region: string, signal?: AbortSignal): Promise<unknown> {
  return clientIn(region).send(new GetObjectCommand({ Bucket: bucket, Key: "k" }), signal && { abortSignal: signal });
}

describe("a region of the S3 stand-in", { concurrency: true }, () => {
  test("that refuses answers 503 until it is back, with its objects", async () => {
    await clientIn("us-west-2").send(new PutObjectCommand({ Bucket: "refuses", Key: "k", Body: "kept" }));
    s3.loseRegion("us-west-2");

    assert.equal((await failureOf(get("refuses", "us-west-2"))).code, "ServiceUnavailable");
    const source = { Bucket: "near", Key: "copy", CopySource: "refuses/k" };
    assert.equal(
      (await failureOf(clientIn("us-east-1").send(new CopyObjectCommand(source)))).code,
      "ServiceUnavailable",
    );

    s3.restoreRegion("us-west-2");
    const copy = await clientIn("us-east-1").send(new CopyObjectCommand(source));
    assert.ok(copy.CopyObjectResult?.ETag);
  });

  test("that is closed cuts every connection", async () => {
    s3.loseRegion("eu-west-1", "close");

    const error = await failureOf(get("closes", "eu-west-1"));

    assert.doesNotMatch(error.code, /AbortError/);
    assert.equal(error.status, 0);
  });

  test("that hangs answers nothing", async () => {
    s3.loseRegion("eu-central-1", "hang");

    const error = await failureOf(get("hangs", "eu-central-1", AbortSignal.timeout(500)));

    assert.match(error.code, /AbortError/);
    s3.faults.clear();
  });
});

describe("the expected owner of a bucket", { concurrency: true }, () => {
  const put = new PutObjectCommand({ Bucket: "near", Key: "owned", Body: "x", ExpectedBucketOwner: "999999999999" });

  test("that is another one is refused, for the bucket and for the source of a copy", async () => {
    assert.equal((await failureOf(clientIn("us-east-1").send(put))).code, "AccessDenied");
    await clientIn("us-east-1").send(new PutObjectCommand({ Bucket: "near", Key: "source", Body: "x" }));
    const copy = { Bucket: "near", Key: "copied", CopySource: "near/source" };
    const wrong = new CopyObjectCommand({ ...copy, ExpectedSourceBucketOwner: "999999999999" });
    assert.equal((await failureOf(clientIn("us-east-1").send(wrong))).code, "AccessDenied");
    await clientIn("us-east-1").send(new CopyObjectCommand({ ...copy, ExpectedSourceBucketOwner: "123456789012" }));
  });

  test("that is no account id is a wrong request", async () => {
    const head = new HeadObjectCommand({ Bucket: "near", Key: "k", ExpectedBucketOwner: "me" });

    assert.equal((await failureOf(clientIn("us-east-1").send(head))).status, 400);
  });
});

test("a copy that a fault spoils is of other bytes, with their checksum", async () => {
  const client = clientIn("us-east-1");
  await client.send(
    new PutObjectCommand({ Bucket: "near", Key: "good", Body: "123456789", ChecksumAlgorithm: "CRC32" }),
  );
  s3.faults.add({ kind: "corrupt-copy", atByte: 2 }, { operation: "CopyObject", key: "spoilt" });

  const copied = await client.send(new CopyObjectCommand({ Bucket: "near", Key: "spoilt", CopySource: "near/good" }));

  const read = await client.send(new GetObjectCommand({ Bucket: "near", Key: "spoilt", ChecksumMode: "ENABLED" }));
  assert.equal(await read.Body?.transformToString(), "122456789");
  assert.equal(read.ChecksumCRC32, copied.CopyObjectResult?.ChecksumCRC32);
  assert.notEqual(read.ChecksumCRC32, "y/Q5Jg==");
});
