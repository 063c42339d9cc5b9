import assert from "node:assert/strict";
import { test } from "node:test";
import type { CopySource } from "@flotilla/sdk/objects";
import { isKind } from "@flotilla/sdk/plugin";
import type { SeenRequest, StubAnswer } from "@flotilla/sdk/testing";
import { quietCall } from "./testing/call.ts";
import { s3Error } from "./testing/s3-error.ts";
import { openStubBucket } from "./testing/stub-bucket.ts";

const gibibyte = 1024 ** 3;
const crc32 = "y/Q5Jg==";
const origin = { customerKey: {}, expectedBucketOwner: undefined, cutoffBytes: 5 * gibibyte };
const described = { headers: { etag: '"e"', "content-length": "9", "x-amz-checksum-crc32": crc32 } };

function source(sizeBytes: number): CopySource {
  const checksum = { algorithm: "crc32", value: crc32, scope: "full-object" } as const;
  return { bucket: "from", key: "a b/ü+%?.gz", sizeBytes, version: '"e"', checksum, sign: async () => "" };
}

function xml(name: string, content: string): StubAnswer {
  return { headers: { "content-type": "application/xml" }, body: `<${name}>${content}</${name}>` };
}

/** A store that copies parts, and answers what is given for each. */
function copiesParts(part: (request: SeenRequest) => StubAnswer): (request: SeenRequest) => StubAnswer {
  return (request) => {
    if (request.url.includes("uploads")) {
      const upload = xml("InitiateMultipartUploadResult", "<UploadId>u</UploadId>");
      return { ...upload, headers: { ...upload.headers, "x-amz-checksum-type": "FULL_OBJECT" } };
    }
    if (request.url.includes("partNumber")) return part(request);
    if (request.method === "POST")
      return xml("CompleteMultipartUploadResult", `<ETag>"e"</ETag><ChecksumCRC32>${crc32}</ChecksumCRC32>`);
    return request.method === "DELETE" ? { status: 204 } : described;
  };
}

const goodPart = xml("CopyPartResult", `<ETag>"p"</ETag><ChecksumCRC32>${crc32}</ChecksumCRC32>`);

test("an object of as much as S3 copies in one request takes one, with an encoded source and no tags of it", async (t) => {
  const result = xml("CopyObjectResult", `<ETag>"e"</ETag><ChecksumCRC32>${crc32}</ChecksumCRC32>`);
  const answer = ({ method }: SeenRequest): StubAnswer => (method === "PUT" ? result : described);
  const { driver, server } = await openStubBucket(t, answer, { copyOrigin: origin });

  const copy = await driver.copyFrom(source(5 * gibibyte), "k", quietCall);

  const [request] = server.seen;
  assert.equal(request?.headers["x-amz-copy-source"], "from/a%20b/%C3%BC%2B%25%3F.gz");
  assert.equal(request?.headers["x-amz-copy-source-if-match"], '"e"');
  assert.equal(request?.headers["x-amz-tagging-directive"], "REPLACE");
  assert.equal(request?.headers["x-amz-checksum-algorithm"], "CRC32");
  assert.equal(copy.checksum?.value, crc32);
});

test("one byte more takes parts of 256 MiB that cover the object once", async (t) => {
  const { driver, server } = await openStubBucket(
    t,
    copiesParts(() => goodPart),
    { copyOrigin: origin },
  );

  await driver.copyFrom(source(5 * gibibyte + 1), "k", quietCall);

  const ranges = server.seen.flatMap(
    ({ headers }) => /(\d+)-(\d+)/.exec(String(headers["x-amz-copy-source-range"])) ?? [],
  );
  const starts = ranges.filter((_, index) => index % 3 === 1).map(Number);
  const ends = ranges.filter((_, index) => index % 3 === 2).map(Number);
  assert.equal(starts.length, 21);
  assert.deepEqual(
    starts.toSorted((a, b) => a - b),
    [
      0,
      ...ends
        .toSorted((a, b) => a - b)
        .slice(0, -1)
        .map((end) => end + 1),
    ],
  );
  assert.equal(Math.max(...ends), 5 * gibibyte);
});

test("the largest object that S3 keeps is copied in no more parts than S3 takes", async (t) => {
  const fail = s3Error(403, "AccessDenied");
  let first = 0;
  const part = ({ headers }: SeenRequest): StubAnswer => {
    const [, start = "0", end = "0"] = /(\d+)-(\d+)/.exec(String(headers["x-amz-copy-source-range"])) ?? [];
    first = Math.max(first, Number(end) - Number(start) + 1);
    return fail;
  };
  const { driver } = await openStubBucket(t, copiesParts(part), { copyOrigin: origin });

  await assert.rejects(driver.copyFrom(source(5 * 1024 * gibibyte), "k", quietCall), (error) =>
    isKind(error, "denied"),
  );

  assert.ok(Math.ceil((5 * 1024 * gibibyte) / first) <= 10_000);
});

test("a store that copies parts without checksums is left at once, and the upload aborted", async (t) => {
  const answer = copiesParts(() => xml("CopyPartResult", '<ETag>"p"</ETag>'));
  const { driver, server } = await openStubBucket(t, answer, { copyOrigin: origin });

  await assert.rejects(driver.copyFrom(source(6 * gibibyte), "k", quietCall), (error) => isKind(error, "unsupported"));

  const methods = server.seen.map(({ method }) => method);
  assert.equal(methods.filter((method) => method === "DELETE").length, 1);
  // The start of the upload, and no completion.
  assert.equal(methods.filter((method) => method === "POST").length, 1);
});

test("a copy whose recorded checksum is another than S3 answered for it is corrupt, and removed", async (t) => {
  const result = xml("CopyObjectResult", `<ETag>"e"</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32>`);
  const answer = ({ method }: SeenRequest): StubAnswer => (method === "PUT" ? result : described);
  const { driver, server } = await openStubBucket(t, answer, { copyOrigin: origin });

  await assert.rejects(driver.copyFrom(source(9), "k", quietCall), (error) => isKind(error, "corrupt"));

  assert.equal(server.seen.at(-1)?.method, "DELETE");
});

for (const [status, code, kind] of [
  [412, "PreconditionFailed", "conflict"],
  [404, "NoSuchKey", "not-found"],
  [403, "AccessDenied", "denied"],
  [503, "SlowDown", "unavailable"],
] as const)
  test(`a copy that S3 answers with ${code} is ${kind}`, async (t) => {
    const { driver } = await openStubBucket(t, () => s3Error(status, code), { copyOrigin: origin });

    await assert.rejects(driver.copyFrom(source(9), "k", quietCall), (error) => isKind(error, kind));
  });

test("a bucket of another store leaves the copy to the plugin", async (t) => {
  const { driver, server } = await openStubBucket(t, () => ({}));

  await assert.rejects(driver.copyFrom(source(9), "k", quietCall), (error) => isKind(error, "unsupported"));

  assert.equal(server.seen.length, 0);
});
