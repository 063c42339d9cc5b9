import assert from "node:assert/strict";
import { test } from "node:test";
import { checksumOf } from "@flotilla/sdk/objects";
import { isKind } from "@flotilla/sdk/plugin";
import { collect } from "@flotilla/sdk/testing";
import { quietCall } from "./testing/call.ts";
import { openStubBucket } from "./testing/stub-bucket.ts";
import { s3Error } from "./testing/s3-error.ts";
import type { SeenRequest, StubAnswer } from "@flotilla/sdk/testing";

const body = Buffer.from("123456789");
const crc32 = "y/Q5Jg==";
const md5Hex = "25f9e794323b453885f5181f1b624d0b";

test("a put carries its checksum as a header, the plain body and nothing empty", async (t) => {
  const { driver, server } = await openStubBucket(t, () => ({ headers: { "x-amz-checksum-crc32": crc32 } }));

  await driver.put("k", body, await checksumOf("crc32", body), quietCall);

  const [request] = server.seen;
  assert.equal(request?.headers["x-amz-checksum-crc32"], crc32);
  assert.equal(request?.body.toString(), "123456789");
  assert.equal(request?.headers["content-length"], "9");
  assert.equal(request?.headers["content-encoding"], undefined);
  assert.equal(request?.headers["x-amz-trailer"], undefined);
  assert.equal(request?.headers["expect"], undefined);
  assert.match(String(request?.headers["x-amz-content-sha256"]), /^[0-9a-f]{64}$/);
  assert.deepEqual(
    Object.entries(request?.headers ?? {}).filter(([, value]) => value === ""),
    [],
  );
});

test("a put without checksums carries Content-MD5 and compares the ETag", async (t) => {
  const { driver, server } = await openStubBucket(t, () => ({ headers: { etag: `"${md5Hex}"` } }), { checksum: "md5" });

  await driver.put("k", body, await checksumOf("md5", body), quietCall);

  assert.equal(server.seen[0]?.headers["content-md5"], Buffer.from(md5Hex, "hex").toString("base64"));
  assert.equal(
    Object.keys(server.seen[0]?.headers ?? {}).some((name) => name.startsWith("x-amz-checksum")),
    false,
  );
});

test("an answer with another checksum is corrupt, and the object is removed", async (t) => {
  const { driver, server } = await openStubBucket(t, () => ({ headers: { "x-amz-checksum-crc32": "AAAAAA==" } }));

  await assert.rejects(driver.put("k", body, await checksumOf("crc32", body), quietCall), (error) =>
    isKind(error, "corrupt"),
  );
  assert.deepEqual(
    server.seen.map(({ method }) => method),
    ["PUT", "DELETE"],
  );
});

test("an ETag under KMS is not taken for an MD5", async (t) => {
  const headers = { etag: `"${"0".repeat(32)}"`, "x-amz-server-side-encryption": "aws:kms" };
  const { driver } = await openStubBucket(t, () => ({ headers }), { checksum: "md5" });

  await driver.put("k", body, await checksumOf("md5", body), quietCall);
});

test("tags and encryption are headers of the put; empty tags are not sent", async (t) => {
  const encryption = {
    newObject: { ServerSideEncryption: "aws:kms", SSEKMSKeyId: "alias/k" },
    customerKey: {},
    isKeyFileTooLong: false,
  } as const;
  const tagged = await openStubBucket(t, () => ({}), { tagging: "a=b", encryption });
  const untagged = await openStubBucket(t, () => ({}), { tagging: "" });

  await tagged.driver.put("k", body, undefined, quietCall);
  await untagged.driver.put("k", body, undefined, quietCall);

  assert.equal(tagged.server.seen[0]?.headers["x-amz-tagging"], "a=b");
  assert.equal(tagged.server.seen[0]?.headers["x-amz-server-side-encryption"], "aws:kms");
  assert.equal(tagged.server.seen[0]?.headers["x-amz-server-side-encryption-aws-kms-key-id"], "alias/k");
  assert.equal("x-amz-tagging" in (untagged.server.seen[0]?.headers ?? {}), false);
});

test("a read asks for the recorded checksum and leaves the check to the layers", async (t) => {
  const headers = { etag: '"e"', "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-type": "FULL_OBJECT" };
  const { driver, server } = await openStubBucket(t, () => ({ headers, body }));

  const read = await driver.read("k", quietCall);

  assert.equal((await collect(read.body)).toString(), "123456789");
  assert.deepEqual([read.sizeBytes, read.version], [9, '"e"']);
  assert.deepEqual(read.checksum, { algorithm: "crc32", bytes: Buffer.alloc(4), scope: "full-object" });
  assert.equal(server.seen[0]?.headers["x-amz-checksum-mode"], "ENABLED");
});

test("a read whose answer comes in chunks learns the size by a HEAD", async (t) => {
  const answer = ({ method }: SeenRequest): StubAnswer =>
    method === "HEAD" ? { headers: { "content-length": "9" } } : { isChunked: true, body };
  const { driver } = await openStubBucket(t, answer);

  const read = await driver.read("k", quietCall);
  await collect(read.body);

  assert.equal(read.sizeBytes, 9);
});

test("the parts of a composite checksum are found by one HEAD where they are of one size", async (t) => {
  const answer = ({ method }: SeenRequest): StubAnswer =>
    method === "HEAD"
      ? { status: 206, headers: { "content-length": "4", "x-amz-mp-parts-count": "3" } }
      : { headers: { etag: '"e-3"', "x-amz-checksum-crc32": `${crc32}-3` }, body };
  const { driver } = await openStubBucket(t, answer);

  const read = await driver.read("k", quietCall);
  await collect(read.body);

  assert.deepEqual(read.checksum?.scope, { partSizes: [4, 4, 1] });
});

test("parts of several sizes are asked for one by one", async (t) => {
  const sizes = ["2", "4", "3"];
  const answer = ({ method, url }: SeenRequest): StubAnswer => {
    if (method === "GET") return { headers: { etag: '"e-3"', "x-amz-checksum-crc32": `${crc32}-3` }, body };
    const part = Number(/partNumber=(\d)/.exec(url)?.[1]);
    return { status: 206, headers: { "content-length": sizes[part - 1] ?? "", "x-amz-mp-parts-count": "3" } };
  };
  const { driver } = await openStubBucket(t, answer);

  const read = await driver.read("k", quietCall);
  await collect(read.body);

  assert.deepEqual(read.checksum?.scope, { partSizes: [2, 4, 3] });
});

test("a composite checksum of unknown parts is left out, so the object is served unverified", async (t) => {
  const headers = { etag: '"e-3"', "x-amz-checksum-crc32": `${crc32}-3`, "content-length": "9" };
  const { driver } = await openStubBucket(t, () => ({ headers, body }));

  const read = await driver.read("k", quietCall);
  await collect(read.body);

  assert.equal(read.checksum, undefined);
});

test("a composite checksum is told to whoever judges the object only where a read compares it", async (t) => {
  const headers = { etag: '"e-3"', "x-amz-checksum-crc32": `${crc32}-3` };
  const compared = async (parts: Readonly<Record<string, string>>): Promise<boolean> => {
    const answer = ({ url }: SeenRequest): StubAnswer =>
      url.includes("partNumber")
        ? { status: 206, headers: { ...headers, ...parts } }
        : { headers: { ...headers, "content-length": "9" } };
    const { driver } = await openStubBucket(t, answer);
    const description = await driver.stat("k", quietCall);
    assert.equal(description?.checksum?.scope, "composite");
    return await driver.comparesParts("k", description, quietCall);
  };

  assert.equal(await compared({ "content-length": "4", "x-amz-mp-parts-count": "3" }), true);
  assert.equal(await compared({ "content-length": "9" }), false);
});

test("a range is read of the one version that was asked for", async (t) => {
  const answer = (): StubAnswer => ({ status: 206, headers: { "content-range": "bytes 2-4/9" }, body: "345" });
  const { driver, server } = await openStubBucket(t, answer);

  const bytes = await collect(await driver.readRange("k", { start: 2, end: 4, version: '"e"' }, quietCall));

  assert.equal(bytes.toString(), "345");
  assert.equal(server.seen[0]?.headers["range"], "bytes=2-4");
  assert.equal(server.seen[0]?.headers["if-match"], '"e"');
  assert.equal(server.seen[0]?.headers["x-amz-checksum-mode"], undefined);
});

test("another version is a conflict, an absent object not found, an ignored range unsupported", async (t) => {
  const range = { start: 0, end: 1, version: '"e"' };
  const changed = await openStubBucket(t, () => s3Error(412, "PreconditionFailed"));
  const gone = await openStubBucket(t, () => s3Error(404, "NoSuchKey"));
  const whole = await openStubBucket(t, () => ({ body }));

  await assert.rejects(changed.driver.readRange("k", range, quietCall), (error) => isKind(error, "conflict"));
  await assert.rejects(gone.driver.readRange("k", range, quietCall), (error) => isKind(error, "not-found"));
  await assert.rejects(whole.driver.readRange("k", range, quietCall), (error) => isKind(error, "unsupported"));
});

test("a HEAD that finds nothing means an absent object only in a bucket that is there", async (t) => {
  const there = await openStubBucket(t, ({ url }) => ({ status: url.startsWith("/b/k") ? 404 : 200 }));
  const denied = await openStubBucket(t, ({ url }) => ({ status: url.startsWith("/b/k") ? 404 : 403 }));
  const missing = await openStubBucket(t, () => ({ status: 404 }));

  assert.equal(await there.driver.stat("k", quietCall), undefined);
  assert.equal(await denied.driver.stat("k", quietCall), undefined);
  await assert.rejects(missing.driver.stat("k", quietCall), (error) => isKind(error, "invalid-config"));
});

test("a denied HEAD is an error that explains what S3 hides", async (t) => {
  const { driver } = await openStubBucket(t, () => ({ status: 403 }));

  await assert.rejects(
    driver.stat("k", quietCall),
    (error) => isKind(error, "denied") && error.message.includes("s3:ListBucket"),
  );
});

test("a listing goes on to its last page and decodes its keys", async (t) => {
  const page = (content: string, next: string): StubAnswer => ({
    headers: { "content-type": "application/xml" },
    body: `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${next !== ""}</IsTruncated>${
      next === "" ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`
    }${content}</ListBucketResult>`,
  });
  const first = page("<Contents><Key>a%2Fb+c%2Bd%01</Key></Contents>", "more");
  const last = page(
    "<Contents><Key>%C3%A9</Key></Contents><CommonPrefixes><Prefix>x+y%2F</Prefix></CommonPrefixes>",
    "",
  );
  const { driver } = await openStubBucket(t, ({ url }) => (url.includes("continuation-token=more") ? last : first));

  const pages = [];
  for await (const one of driver.list({ prefix: "", delimiter: "/" }, quietCall)) pages.push(one);

  assert.deepEqual(pages, [
    { keys: ["a/b c+d\u0001"], commonPrefixes: [] },
    { keys: ["é"], commonPrefixes: ["x y/"] },
  ]);
});

test("a listing of a missing bucket is an error", async (t) => {
  const { driver } = await openStubBucket(t, () => s3Error(404, "NoSuchBucket"));

  await assert.rejects(driver.list({ prefix: "", delimiter: "/" }, quietCall)[Symbol.asyncIterator]().next(), (error) =>
    isKind(error, "invalid-config"),
  );
});

test("deleting an absent object succeeds also where the store complains", async (t) => {
  const { driver } = await openStubBucket(t, () => s3Error(404, "NoSuchKey"));

  await driver.remove("k", quietCall);
});

test("deleting in a missing bucket is an error", async (t) => {
  const { driver } = await openStubBucket(t, () => s3Error(404, "NoSuchBucket"));

  await assert.rejects(driver.remove("k", quietCall), (error) => isKind(error, "invalid-config"));
});
