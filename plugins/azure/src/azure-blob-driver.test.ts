import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { isKind } from "@flotilla/sdk/plugin";
import { quietCall } from "./testing/call.ts";
import { blobError, openStubContainer } from "./testing/stub-container.ts";

const xml = { "content-type": "application/xml" };

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("a read tells size, version and recorded MD5, and asks once", async (t) => {
  const md5 = createHash("md5").update("hello").digest();
  const headers = { etag: '"0x1"', "content-md5": md5.toString("base64") };
  const { driver, server } = await openStubContainer(t, () => ({ headers, body: "hello" }));

  const read = await driver.read("k", quietCall);

  assert.deepEqual([read.sizeBytes, read.version], [5, '"0x1"']);
  assert.deepEqual(read.checksum, { algorithm: "md5", bytes: md5, scope: "full-object" });
  assert.equal((await collect(read.body)).toString(), "hello");
  assert.equal(server.seen.length, 1);
  assert.equal(server.seen[0]?.headers["range"] ?? server.seen[0]?.headers["x-ms-range"], undefined);
});

for (const value of [undefined, "", "bm90IGFuIE1ENQ=="]) {
  test(`an object with the Content-MD5 ${JSON.stringify(value)} has no checksum`, async (t) => {
    const headers = { etag: '"0x1"', ...(value === undefined ? {} : { "content-md5": value }) };
    const { driver } = await openStubContainer(t, () => ({ headers, body: "hello" }));

    const { checksum, body } = await driver.read("k", quietCall);
    await collect(body);

    assert.equal(checksum, undefined);
  });
}

test("a range is asked for on condition of its version", async (t) => {
  const headers = { etag: '"0x1"', "content-range": "bytes 1-3/5" };
  const { driver, server } = await openStubContainer(t, () => ({ status: 206, headers, body: "ell" }));

  const body = await driver.readRange("k", { start: 1, end: 3, version: '"0x1"' }, quietCall);

  assert.equal((await collect(body)).toString(), "ell");
  assert.equal(server.seen[0]?.headers["x-ms-range"], "bytes=1-3");
  assert.equal(server.seen[0]?.headers["if-match"], '"0x1"');
});

test("an answer of another range than was asked for is refused", async (t) => {
  const { driver } = await openStubContainer(t, () => ({ headers: { etag: '"0x1"' }, body: "hello" }));

  await assert.rejects(driver.readRange("k", { start: 1, end: 3, version: '"0x1"' }, quietCall), (error) =>
    isKind(error, "unsupported"),
  );
});

test("a range of a version that is gone is a conflict", async (t) => {
  const { driver } = await openStubContainer(t, () => blobError(412, "ConditionNotMet"));

  await assert.rejects(driver.readRange("k", { start: 1, end: 3, version: '"0x1"' }, quietCall), (error) =>
    isKind(error, "conflict"),
  );
});

test("an absent object is told from a missing container by the code of a HEAD", async (t) => {
  const { driver } = await openStubContainer(t, ({ url }) =>
    blobError(404, url.endsWith("/absent") ? "BlobNotFound" : "ContainerNotFound"),
  );

  assert.equal(await driver.stat("absent", quietCall), undefined);
  await assert.rejects(driver.stat("k", quietCall), (error) => isKind(error, "invalid-config"));
});

test("a HEAD without a code is an error, never an absence", async (t) => {
  const { driver } = await openStubContainer(t, () => ({ status: 404 }));

  await assert.rejects(driver.stat("k", quietCall), (error) => isKind(error, "invalid-argument"));
});

test("a deletion of an absent object succeeds, in a missing container it does not", async (t) => {
  const { driver } = await openStubContainer(t, ({ url }) =>
    blobError(404, url.endsWith("/absent") ? "BlobNotFound" : "ContainerNotFound"),
  );

  await driver.remove("absent", quietCall);
  await assert.rejects(driver.remove("k", quietCall), (error) => isKind(error, "invalid-config"));
});

test("block ids are as long as the official plugin's, which are digits, begin with none, and no two uploads share one", async (t) => {
  const { driver } = await openStubContainer(t, () => ({ status: 201 }));
  const [one, two] = await Promise.all([driver.startUpload("k"), driver.startUpload("k")]);
  const body = Buffer.from("x");

  const parts = await Promise.all(
    [one, two].flatMap((upload) => [1, 2, 50_000].map((number) => upload.putPart(number, body, undefined, quietCall))),
  );

  const ids = parts.map(({ token }) => token);
  assert.ok(ids.every((id) => id.length === "00000000".length && /^[A-Za-z]/.test(id)));
  assert.equal(new Set(ids).size, 6);
});

test("a commit lists exactly its own blocks in their order", async (t) => {
  const { driver, server } = await openStubContainer(t, () => ({ status: 201 }));
  const upload = await driver.startUpload("k");
  const parts = [];
  for (const number of [1, 2, 3]) parts.push(await upload.putPart(number, Buffer.from("x"), undefined, quietCall));

  await upload.complete({ parts, sizeBytes: 3, checksum: undefined }, quietCall);

  const commit = server.seen.at(-1);
  assert.match(commit?.url ?? "", /comp=blocklist/);
  const listed = [...(commit?.body.toString() ?? "").matchAll(/<Latest>([^<]+)<\/Latest>/g)].map((match) => match[1]);
  assert.deepEqual(
    listed,
    parts.map(({ token }) => token),
  );
});

test("an aborted upload deletes nothing", async (t) => {
  const { driver, server } = await openStubContainer(t, () => ({ status: 201 }));
  const upload = await driver.startUpload("k");
  await upload.putPart(1, Buffer.from("x"), undefined, quietCall);

  await upload.abort(quietCall);

  assert.deepEqual(
    server.seen.map(({ method }) => method),
    ["PUT"],
  );
});

test("a list follows its markers to the end and decodes what XML cannot hold", async (t) => {
  const page = (names: string, marker: string): string =>
    `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="x" ContainerName="ccc">` +
    `<Blobs>${names}</Blobs><NextMarker>${marker}</NextMarker></EnumerationResults>`;
  const blob = (name: string): string => `<Blob>${name}<Properties><Etag>1</Etag></Properties></Blob>`;
  const { driver, server } = await openStubContainer(t, ({ url }) => ({
    headers: xml,
    body: url.includes("marker=second")
      ? page(blob(`<Name Encoded="true">c%01d</Name>`), "")
      : page(blob("<Name>a</Name>") + blob("<Name>b &amp; &lt;c&gt;</Name>"), "second"),
  }));
  const keys: string[] = [];

  for await (const found of driver.list({ prefix: "p", delimiter: undefined }, quietCall)) keys.push(...found.keys);

  assert.deepEqual(keys, ["a", "b & <c>", "c\u0001d"]);
  assert.ok(server.seen.every(({ url }) => url.includes("prefix=p")));
});

for (const [title, answer] of [
  ["empty", { body: "" }],
  ["a page", { headers: { "content-type": "text/html" }, body: "<html><body>log in</body></html>" }],
  ["another document", { headers: xml, body: "<ListBucketResult/>" }],
] as const) {
  test(`an answer that is ${title} is no listing, no object and no presence of one`, async (t) => {
    const { driver } = await openStubContainer(t, () => answer);
    const isForeign = (error: unknown): boolean =>
      isKind(error, "unavailable") && /not the service's/.test(error.message);

    await assert.rejects(Array.fromAsync(driver.list({ prefix: "", delimiter: undefined }, quietCall)), isForeign);
    await assert.rejects(Array.fromAsync(driver.list({ prefix: "", delimiter: "/" }, quietCall)), isForeign);
    await assert.rejects(driver.stat("k", quietCall), isForeign);
    await assert.rejects(driver.read("k", quietCall), isForeign);
  });
}

test("tier, tags and encryption scope go with the put", async (t) => {
  const keys = { accessTier: "Cold", tagging: "team=a", encryptionScope: "scope" };
  const { driver, server } = await openStubContainer(t, () => ({ status: 201 }), keys);

  await driver.put("k", Buffer.from("x"), undefined, quietCall);

  const { headers = {} } = server.seen[0] ?? {};
  assert.deepEqual(
    [headers["x-ms-access-tier"], headers["x-ms-tags"], headers["x-ms-encryption-scope"]],
    ["Cold", "team=a", "scope"],
  );
});
