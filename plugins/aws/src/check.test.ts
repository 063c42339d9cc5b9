import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Finding, OpenedObjectStore, OpenedVolumeSnapshotter } from "@flotilla/sdk/plugin";
import { definitions } from "./definitions.ts";
import { contextWith, quietCall } from "./testing/call.ts";
import { startStubServer } from "@flotilla/sdk/testing";
import { s3Error } from "./testing/s3-error.ts";
import type { SeenRequest, StubAnswer, StubServer } from "@flotilla/sdk/testing";

const keys = { AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: "s", AWS_MAX_ATTEMPTS: "1" };
const xml = { "content-type": "application/xml" };
const emptyListing = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

async function check(
  t: TestContext,
  kind: "ObjectStore" | "VolumeSnapshotter",
  config: Readonly<Record<string, string>>,
): Promise<Finding[]> {
  const definition = definitions.find((one) => one.kind === kind);
  const opened: OpenedObjectStore | OpenedVolumeSnapshotter | undefined = await definition?.open(
    config,
    contextWith(keys),
  );
  t.after(async () => await opened?.close?.());
  const findings: Finding[] = [];
  for await (const finding of opened?.check?.(quietCall) ?? []) findings.push(finding);
  return findings;
}

function outcomes(findings: readonly Finding[]): string[] {
  return findings.map(({ severity, subject }) => `${severity} ${subject}`);
}

/** A bucket that keeps one object, and refuses what the test says. */
async function startBucket(t: TestContext, refuses: (request: SeenRequest) => boolean): Promise<StubServer> {
  let stored: Buffer = Buffer.alloc(0);
  return await startStubServer(t, (request) => {
    const { method, url, body, headers } = request;
    if (refuses(request)) return s3Error(403, "AccessDenied");
    if (url.includes("list-type")) return { headers: xml, body: emptyListing };
    if (method === "POST") return { headers: xml, body: "<R><UploadId>U</UploadId></R>" };
    if (method === "PUT") {
      stored = body;
      return { headers: { "x-amz-checksum-crc32": String(headers["x-amz-checksum-crc32"]) } };
    }
    return method === "GET"
      ? { headers: { etag: '"0123456789abcdef0123456789abcdef-1"' }, body: stored }
      : { status: 204 };
  });
}

test("an answer that is no listing is a failure, not an empty bucket", async (t) => {
  const { url } = await startStubServer(t, () => ({ headers: { "content-type": "text/html" }, body: "" }));

  const findings = await check(t, "ObjectStore", { bucket: "b", region: "r", s3Url: url.href });

  assert.deepEqual(outcomes(findings), ["advice s3Url", "failure s3:ListBucket"]);
  assert.match(findings.at(-1)?.remedy ?? "", /the endpoint is the store's API/);
});

test("every permission is tried, and the object of the trial lies below metadata and is deleted", async (t) => {
  const { url, seen } = await startBucket(t, () => false);

  const findings = await check(t, "ObjectStore", { bucket: "b", prefix: "p", region: "r", s3Url: url.href });

  assert.deepEqual(outcomes(findings), [
    "advice s3Url",
    "ok s3:ListBucket",
    "ok s3:PutObject",
    "ok s3:GetObject",
    "advice checksumAlgorithm",
    "ok s3:DeleteObject",
    "ok s3:AbortMultipartUpload",
  ]);
  const keysSeen = seen.filter(({ method }) => method !== "GET").map((request) => request.url.split("?")[0] ?? "");
  assert.ok(keysSeen.every((path) => path.startsWith("/b/p/metadata/flotilla-check-")));
});

test("a missing permission to tag is told from one to put", async (t) => {
  const { url } = await startBucket(t, ({ headers }) => headers["x-amz-tagging"] !== undefined);
  const config = { bucket: "b", prefix: "", region: "r", s3Url: url.href, tagging: "a=b" };

  const findings = await check(t, "ObjectStore", config);

  const failure = findings.find(({ severity }) => severity === "failure");
  assert.equal(failure?.subject, "s3:PutObjectTagging");
  assert.match(failure?.remedy ?? "", /grant s3:PutObjectTagging/);
});

test("a denied listing does not hide the other permissions", async (t) => {
  const { url } = await startBucket(t, (request) => request.url.includes("list-type"));

  const findings = await check(t, "ObjectStore", { bucket: "b", prefix: "", region: "r", s3Url: url.href });

  assert.ok(outcomes(findings).includes("failure s3:ListBucket"));
  assert.ok(outcomes(findings).includes("ok s3:PutObject"));
});

test("a missing bucket ends the check with one failure", async (t) => {
  const { url } = await startStubServer(t, () => s3Error(404, "NoSuchBucket"));

  const findings = await check(t, "ObjectStore", { bucket: "b", prefix: "", region: "r", s3Url: url.href });

  assert.deepEqual(outcomes(findings), ["advice s3Url", "failure s3:ListBucket"]);
  assert.match(findings[1]?.remedy ?? "", /create the bucket/);
});

test("keys without effect are reported", async (t) => {
  const { url } = await startBucket(t, () => false);
  const config = {
    bucket: "b",
    prefix: "",
    region: "r",
    s3Url: url.href,
    signatureVersion: "4",
    enableSharedConfig: "1",
  };

  const findings = await check(t, "ObjectStore", config);

  assert.ok(outcomes(findings).includes("advice signatureVersion"));
  assert.ok(outcomes(findings).includes("advice enableSharedConfig"));
});

function ec2Error(code: string): StubAnswer {
  return {
    status: code === "UnauthorizedOperation" ? 403 : 412,
    headers: xml,
    body: `<Response><Errors><Error><Code>${code}</Code><Message>m</Message></Error></Errors><RequestID>R</RequestID></Response>`,
  };
}

test("EC2's permissions are tried by dry runs, one by one", async (t) => {
  const { url, seen } = await startStubServer(t, ({ body }) =>
    ec2Error(body.toString().includes("Action=CreateVolume") ? "UnauthorizedOperation" : "DryRunOperation"),
  );

  const findings = await check(t, "VolumeSnapshotter", { region: "us-east-1", endpoint: url.href });

  assert.deepEqual(outcomes(findings), [
    "ok ec2:DescribeVolumes",
    "ok ec2:DescribeSnapshots",
    "ok ec2:CreateSnapshot",
    "ok ec2:CreateTags",
    "failure ec2:CreateVolume",
    "ok ec2:DeleteSnapshot",
  ]);
  assert.ok(seen.every(({ body }) => body.toString().includes("DryRun=true")));
});

test("an endpoint that ignores dry runs is asked for nothing that changes anything", async (t) => {
  const { url, seen } = await startStubServer(t, () => ({ headers: xml, body: "<R><requestId>R</requestId></R>" }));

  const findings = await check(t, "VolumeSnapshotter", { region: "us-east-1", endpoint: url.href });

  assert.equal(findings.at(-1)?.subject, "dry run");
  assert.ok(seen.every(({ body }) => body.toString().includes("Action=Describe")));
});
