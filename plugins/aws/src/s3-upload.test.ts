import assert from "node:assert/strict";
import { test } from "node:test";
import { checksumOf } from "@flotilla/sdk/objects";
import type { BlobUpload, CompletedUpload } from "@flotilla/sdk/objects";
import { isKind } from "@flotilla/sdk/plugin";
import type { LocationChecksum } from "./config-values.ts";
import { compositeOf, describeChecksum } from "./s3-checksums.ts";
import { quietCall } from "./testing/call.ts";
import { openStubBucket } from "./testing/stub-bucket.ts";
import { s3Error } from "./testing/s3-error.ts";
import type { SeenRequest, StubAnswer } from "@flotilla/sdk/testing";

const first = Buffer.from("12345");
const second = Buffer.from("6789");
const whole = Buffer.concat([first, second]);
const fullCrc32 = "y/Q5Jg==";
const xml = { "content-type": "application/xml" };

/** A store that says at the start which kind of checksum it keeps, and at the end what it is. */
function store(checksumType: string | undefined, complete: StubAnswer): (request: SeenRequest) => StubAnswer {
  return ({ method, url }) => {
    if (method === "PUT") return { headers: { etag: '"part"' } };
    if (method === "POST" && url.includes("uploads"))
      return {
        headers: { ...xml, ...(checksumType === undefined ? {} : { "x-amz-checksum-type": checksumType }) },
        body: "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>",
      };
    return complete;
  };
}

function completed(fields: string): StubAnswer {
  return { headers: xml, body: `<CompleteMultipartUploadResult>${fields}</CompleteMultipartUploadResult>` };
}

async function finish(upload: BlobUpload, algorithm: LocationChecksum): Promise<CompletedUpload> {
  const parts = [
    await upload.putPart(1, first, await checksumOf(algorithm, first), quietCall),
    await upload.putPart(2, second, await checksumOf(algorithm, second), quietCall),
  ];
  const checksum = algorithm.startsWith("crc") ? await checksumOf(algorithm, whole) : undefined;
  const done = { parts, sizeBytes: whole.byteLength, checksum };
  await upload.complete(done, quietCall);
  return done;
}

async function compositeText(algorithm: LocationChecksum): Promise<string> {
  const parts = await Promise.all(
    [first, second].map(async (bytes, index) => ({
      number: index + 1,
      sizeBytes: bytes.byteLength,
      checksum: await checksumOf(algorithm, bytes),
      token: "",
    })),
  );
  const composite = await compositeOf(algorithm, parts);
  assert.ok(composite);
  return describeChecksum(composite).value;
}

test("a CRC over the whole object is asked for at the start and sent at the end", async (t) => {
  const answer = store("FULL_OBJECT", completed(`<ChecksumCRC32>${fullCrc32}</ChecksumCRC32>`));
  const { driver, server } = await openStubBucket(t, answer, { tagging: "a=b" });

  await finish(await driver.startUpload("k", quietCall), "crc32");

  const [start, part, , complete] = server.seen;
  assert.equal(start?.headers["x-amz-checksum-algorithm"], "CRC32");
  assert.equal(start?.headers["x-amz-checksum-type"], "FULL_OBJECT");
  assert.equal(start?.headers["x-amz-tagging"], "a=b");
  assert.match(String(part?.headers["x-amz-checksum-crc32"]), /^.{6}==$/);
  assert.equal(part?.body.toString(), "12345");
  assert.equal(complete?.headers["x-amz-checksum-crc32"], fullCrc32);
  assert.equal(complete?.headers["x-amz-mp-object-size"], "9");
});

for (const type of ["COMPOSITE", undefined])
  test(`a store that answers ${type ?? "no"} checksum type gets no full checksum, and its composite is compared`, async (t) => {
    const composite = await compositeText("crc32");
    const answer = store(type, completed(`<ChecksumCRC32>${composite}</ChecksumCRC32>`));
    const { driver, server } = await openStubBucket(t, answer);

    await finish(await driver.startUpload("k", quietCall), "crc32");

    assert.equal(server.seen[3]?.headers["x-amz-checksum-crc32"], undefined);
    assert.equal(server.seen[3]?.headers["x-amz-checksum-type"], undefined);
  });

test("SHA-256 is kept over the parts and compared so", async (t) => {
  const answer = store("COMPOSITE", completed(`<ChecksumSHA256>${await compositeText("sha256")}</ChecksumSHA256>`));
  const { driver, server } = await openStubBucket(t, answer, { checksum: "sha256" });

  await finish(await driver.startUpload("k", quietCall), "sha256");

  assert.equal(server.seen[0]?.headers["x-amz-checksum-type"], "COMPOSITE");
});

test("without checksums each part carries Content-MD5 and the start asks for none", async (t) => {
  const { driver, server } = await openStubBucket(t, store(undefined, completed("<ETag>e</ETag>")), {
    checksum: "md5",
  });

  await finish(await driver.startUpload("k", quietCall), "md5");

  assert.equal(server.seen[0]?.headers["x-amz-checksum-algorithm"], undefined);
  assert.match(String(server.seen[1]?.headers["content-md5"]), /==$/);
  assert.doesNotMatch(server.seen[3]?.body.toString() ?? "", /Checksum/);
});

for (const wrong of ["AAAAAA==", "AAAAAA==-2"])
  test(`another checksum at the end, ${wrong}, is corrupt, and the object is removed`, async (t) => {
    const answer = store("FULL_OBJECT", completed(`<ChecksumCRC32>${wrong}</ChecksumCRC32>`));
    const { driver, server } = await openStubBucket(t, answer);
    const upload = await driver.startUpload("k", quietCall);

    await assert.rejects(finish(upload, "crc32"), (error) => isKind(error, "corrupt"));
    assert.equal(server.seen.at(-1)?.method, "DELETE");
  });

test("another checksum of a part is corrupt", async (t) => {
  const answer = (request: SeenRequest): StubAnswer =>
    request.method === "PUT"
      ? { headers: { etag: '"e"', "x-amz-checksum-crc32": "AAAAAA==" } }
      : store("FULL_OBJECT", {})(request);
  const { driver } = await openStubBucket(t, answer);
  const upload = await driver.startUpload("k", quietCall);

  await assert.rejects(upload.putPart(1, first, await checksumOf("crc32", first), quietCall), (error) =>
    isKind(error, "corrupt"),
  );
});

test("an error inside a successful answer is an error", async (t) => {
  const inside = { status: 200, headers: xml, body: "<Error><Code>InternalError</Code><Message>m</Message></Error>" };
  const { driver } = await openStubBucket(t, store("FULL_OBJECT", inside));
  const upload = await driver.startUpload("k", quietCall);

  await assert.rejects(finish(upload, "crc32"), (error) => isKind(error, "unavailable"));
});

test("an upload that is gone because an earlier try completed it is complete", async (t) => {
  const answer = (request: SeenRequest): StubAnswer =>
    request.method === "HEAD"
      ? { headers: { "x-amz-checksum-crc32": fullCrc32 } }
      : store("FULL_OBJECT", s3Error(404, "NoSuchUpload"))(request);
  const { driver } = await openStubBucket(t, answer);

  await finish(await driver.startUpload("k", quietCall), "crc32");
});

test("an upload that is gone while another object stands there is a conflict", async (t) => {
  const answer = (request: SeenRequest): StubAnswer =>
    request.method === "HEAD"
      ? { headers: { "x-amz-checksum-crc32": "AAAAAA==" } }
      : store("FULL_OBJECT", s3Error(404, "NoSuchUpload"))(request);
  const { driver } = await openStubBucket(t, answer);
  const upload = await driver.startUpload("k", quietCall);

  await assert.rejects(finish(upload, "crc32"), (error) => isKind(error, "conflict"));
});

test("aborting an upload that is gone succeeds", async (t) => {
  const { driver } = await openStubBucket(t, store("FULL_OBJECT", s3Error(404, "NoSuchUpload")));
  const upload = await driver.startUpload("k", quietCall);

  await upload.abort(quietCall);
});

test("an answer without upload id is refused", async (t) => {
  const { driver } = await openStubBucket(t, () => ({ headers: xml, body: "<InitiateMultipartUploadResult/>" }));

  await assert.rejects(driver.startUpload("k", quietCall), (error) => isKind(error, "unsupported"));
});
