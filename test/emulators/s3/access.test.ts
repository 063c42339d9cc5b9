import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { crc32 } from "node:zlib";

import {
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

import { Accounts } from "../accounts.ts";
import type { Account } from "../accounts.ts";
import { failureOf } from "../probes/probe.ts";
import { startS3 } from "./start-s3.ts";

const owner: Account = { accessKeyId: "AKIAOWNER", secretAccessKey: "owner-secret" };
const accounts = new Accounts([owner]);
const stateDir = await mkdtemp(join(tmpdir(), "s3-access-"));
const buckets = ["near", "other", { name: "far", region: "eu-west-1" }];
const s3 = await startS3({ stateDir, accounts, buckets, kms: { denied: ["forbidden"], missing: ["absent"] } });
const clients: S3Client[] = [];
after(async () => {
  for (const client of clients) client.destroy();
  await s3.close();
  await rm(stateDir, { recursive: true });
});

function clientOf(account: Account, changes: S3ClientConfig = {}): S3Client {
  accounts.add(account);
  const settings = { endpoint: s3.url, region: "us-east-1", forcePathStyle: true, maxAttempts: 1 };
  const client = new S3Client({ ...settings, credentials: account, ...changes });
  clients.push(client);
  return client;
}

/** Makes a client whose requests are changed before they are signed. */
function clientThatSends(headers: Readonly<Record<string, string>>, body?: string): S3Client {
  const client = clientOf(owner, { requestChecksumCalculation: "WHEN_REQUIRED" });
  client.middlewareStack.add(
    (next) => (args) => {
      // The SDK's type of a request before it is built says nothing of what is in it.
      const request = args.request as { headers: Record<string, string>; body?: unknown };
      Object.assign(request.headers, headers);
      if (body !== undefined) {
        request.body = body;
        request.headers["content-length"] = String(Buffer.byteLength(body));
      }
      return next(args);
    },
    { step: "build", priority: "low" },
  );
  return client;
}

const put = new PutObjectCommand({ Bucket: "near", Key: "k", Body: "body" });
const list = new ListObjectsV2Command({ Bucket: "near" });

describe("who may do what", { concurrency: true }, () => {
  test("a denied action is AccessDenied, and no other is", async () => {
    const client = clientOf({ accessKeyId: "AKIAREADER", secretAccessKey: "s", deny: ["s3:Put*"] });

    assert.deepEqual(await failureOf(client.send(put)), { code: "AccessDenied", status: 403 });
    await client.send(list);
  });

  test("a bucket that is not granted is AccessDenied", async () => {
    const client = clientOf({ accessKeyId: "AKIATENANT", secretAccessKey: "s", buckets: ["near"] });
    await client.send(list);

    const elsewhere = client.send(new ListObjectsV2Command({ Bucket: "other" }));

    assert.deepEqual(await failureOf(elsewhere), { code: "AccessDenied", status: 403 });
  });

  test("a missing key is AccessDenied for who may not list", async () => {
    const client = clientOf({ accessKeyId: "AKIABLIND", secretAccessKey: "s", deny: ["s3:ListBucket"] });

    const get = client.send(new GetObjectCommand({ Bucket: "near", Key: "no-such-key" }));

    assert.deepEqual(await failureOf(get), { code: "AccessDenied", status: 403 });
  });

  test("a put with tags needs the permission for tags", async () => {
    const client = clientOf({ accessKeyId: "AKIAUNTAGGED", secretAccessKey: "s", deny: ["s3:PutObjectTagging"] });
    const input = { Bucket: "near", Key: "tagged", Body: "x" };
    await client.send(new PutObjectCommand(input));

    const tagged = client.send(new PutObjectCommand({ ...input, Tagging: "a=b" }));

    assert.equal((await failureOf(tagged)).code, "AccessDenied");
  });

  test("a session is refused without its token and once it has ended", async () => {
    const session = { accessKeyId: "ASIASESSION", secretAccessKey: "s", sessionToken: "token" };
    await clientOf(session).send(list);
    const bare = clientOf(session, { credentials: { accessKeyId: "ASIASESSION", secretAccessKey: "s" } });
    const ended = clientOf({ ...session, accessKeyId: "ASIAENDED", expired: true });

    assert.equal((await failureOf(bare.send(list))).code, "InvalidToken");
    assert.deepEqual(await failureOf(ended.send(list)), { code: "ExpiredToken", status: 400 });
  });

  test("KMS keys that are absent or forbidden are refused", async () => {
    const withKey = (SSEKMSKeyId: string): Promise<unknown> => {
      const input = { Bucket: "near", Key: "kms", Body: "x", ServerSideEncryption: "aws:kms", SSEKMSKeyId } as const;
      return clientOf(owner).send(new PutObjectCommand(input));
    };

    assert.equal((await failureOf(withKey("absent"))).code, "KMS.NotFoundException");
    assert.equal((await failureOf(withKey("forbidden"))).code, "AccessDenied");
  });

  test("an SSE-C key is refused over plain HTTP", async () => {
    const key = Buffer.alloc(32, 1).toString("base64");
    const input = { Bucket: "near", Key: "c", Body: "x", SSECustomerAlgorithm: "AES256", SSECustomerKey: key };

    assert.equal((await failureOf(clientOf(owner).send(new PutObjectCommand(input)))).code, "InvalidRequest");
  });
});

describe("regions", { concurrency: true }, () => {
  test("by path, the wrong region is redirected and the right one named", async () => {
    const far = new ListObjectsV2Command({ Bucket: "far" });

    assert.deepEqual(await failureOf(clientOf(owner).send(far)), { code: "PermanentRedirect", status: 301 });
  });

  test("a HEAD in the wrong region has status 301, a header and no body", async () => {
    const url = await getSignedUrl(clientOf(owner), new HeadBucketCommand({ Bucket: "far" }));

    const response = await fetch(url, { method: "HEAD", redirect: "manual" });

    assert.deepEqual([response.status, response.headers.get("x-amz-bucket-region")], [301, "eu-west-1"]);
    assert.equal(await response.text(), "");
  });

  test("by host name, the wrong region makes the signature malformed", async () => {
    const { status, text } = await getByHost("far", "us-east-1");

    assert.equal(status, 400);
    assert.match(text, /<Code>Authorization\w+<\/Code>.*<Region>eu-west-1<\/Region>/s);
  });

  test("a bucket is found in the host name", async () => {
    const { status, text } = await getByHost("far", "eu-west-1");

    assert.equal(status, 200);
    assert.match(text, /<Name>far<\/Name>/);
  });
});

describe("bodies", { concurrency: true }, () => {
  const refusals: readonly (readonly [string, string, Readonly<Record<string, string>>, string?])[] = [
    ["another SHA-256", "XAmzContentSHA256Mismatch", { "x-amz-content-sha256": "0".repeat(64) }],
    ["a payload hash that is none", "InvalidArgument", { "x-amz-content-sha256": "nonsense" }],
    ["two checksums", "InvalidRequest", { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA==" }],
    ["a checksum of the wrong length", "InvalidRequest", { "x-amz-checksum-crc32": "AAA=" }],
    ["an announced checksum that is missing", "InvalidRequest", { "x-amz-sdk-checksum-algorithm": "CRC32" }],
    ["a Content-MD5 that is none", "InvalidDigest", { "content-md5": "abc" }],
    [
      "a trailer with another checksum",
      "BadDigest",
      {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-decoded-content-length": "4",
      },
      "4\r\nbody\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    ],
    [
      "fewer bytes than were promised",
      "IncompleteBody",
      {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-decoded-content-length": "5",
      },
      "4\r\nbody\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    ],
  ];
  for (const [what, code, headers, body] of refusals) {
    test(`${what} is refused`, async () => {
      assert.equal((await failureOf(clientThatSends(headers, body).send(put))).code, code);
    });
  }

  test("a signed header that changes on the way is refused", async () => {
    const url = await getSignedUrl(clientOf(owner), list);

    const response = await fetch(url, { headers: { "x-amz-expected-bucket-owner": "123456789012" } });

    assert.deepEqual([response.status, /HeadersNotSigned/.test(await response.text())], [403, true]);
  });

  test("the log shows what came over the wire", async () => {
    const key = "logged";
    await clientOf(owner).send(new PutObjectCommand({ Bucket: "near", Key: key, Body: "x" }));

    const [entry] = s3.log.entries("PutObject").filter((one) => one.key === key);

    const sent = Buffer.from(entry?.headers.get("x-amz-checksum-crc32") ?? "", "base64").readUInt32BE();
    assert.deepEqual([entry?.status, entry?.bucket, sent], [200, "near", crc32("x")]);
  });
});

/** Lists a bucket by a signed URL that names it in the host, as name resolution would have it. */
async function getByHost(bucket: string, region: string): Promise<{ status: number; text: string }> {
  const endpoint = `http://s3.localhost:${s3.port}`;
  const client = clientOf(owner, { endpoint, region, forcePathStyle: false });
  const url = new URL(await getSignedUrl(client, new ListObjectsV2Command({ Bucket: bucket })));
  assert.equal(url.hostname, `${bucket}.s3.localhost`);
  return await new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: s3.port, path: url.pathname + url.search, headers: { host: url.host } };
    const request = httpRequest(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject);
    request.end();
  });
}
