import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { CopySource } from "@flotilla/sdk/objects";
import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { SeenRequest, StubAnswer } from "@flotilla/sdk/testing";
import { AzureBlobDriver } from "./azure-blob-driver.ts";
import { quietCall } from "./testing/call.ts";
import { blobError, openStubContainer } from "./testing/stub-container.ts";

const etag = '"0x1"';
const md5 = createHash("md5").update("anything").digest();
const sizes = { maxWholeBytes: 10, blockBytes: 4, parallel: 2 };
const created = { status: 201 };

interface Stub {
  readonly copy: (source?: Partial<CopySource>) => ReturnType<AzureBlobDriver["copyFrom"]>;
  readonly seen: readonly SeenRequest[];
}

/** A driver that copies from the container `ccc` of the same stub, by small blocks. */
async function openCopier(t: TestContext, answer: (request: SeenRequest) => StubAnswer): Promise<Stub> {
  const { server, session } = await openStubContainer(t, (request) =>
    request.method === "HEAD" && !request.url.includes("/ccc/source")
      ? { headers: { etag, "content-length": "25", "content-md5": md5.toString("base64") } }
      : answer(request),
  );
  const settings = { newObject: { tier: "Cool" }, writing: { encryptionScope: "scope" }, customerKey: {} } as const;
  const copies = { origin: { session, customerKey: undefined }, sizes };
  const driver = new AzureBlobDriver({ session, settings, firstPartBytes: undefined, copies });
  const source: CopySource = {
    bucket: "ccc",
    key: "source",
    sizeBytes: 25,
    version: etag,
    checksum: { algorithm: "md5", value: md5.toString("base64"), scope: "full-object" },
    sign: () => Promise.reject(new PluginError("not asked for", { kind: "internal" })),
  };
  return {
    seen: server.seen,
    copy: async (other) => await driver.copyFrom({ ...source, ...other }, "copy", quietCall),
  };
}

const isBlock = ({ url }: SeenRequest): boolean => url.includes("comp=block&");
const isCommit = ({ url }: SeenRequest): boolean => url.includes("comp=blocklist");

test("a source of another bucket than the location's is not copied in the store", async (t) => {
  const { copy, seen } = await openCopier(t, () => created);

  await assert.rejects(copy({ bucket: "another" }), (error) => isKind(error, "unsupported"));
  assert.equal(seen.length, 0);
});

for (const [status, inner, kind] of [
  [403, "AuthorizationFailure", "unsupported"],
  [404, "BlobNotFound", "not-found"],
  [409, "BlobArchived", "held"],
  [500, "InternalError", "unavailable"],
] as const)
  test(`a source that the store cannot read (${inner}) is ${kind}`, async (t) => {
    const body = `<?xml version="1.0"?><Error><Code>CannotVerifyCopySource</Code><Message>m</Message><CopySourceStatusCode>${status}</CopySourceStatusCode><CopySourceErrorCode>${inner}</CopySourceErrorCode></Error>`;
    const { copy } = await openCopier(t, () => ({ ...blobError(status, "CannotVerifyCopySource"), body }));

    await assert.rejects(copy({ sizeBytes: 10 }), (error) => isKind(error, kind) && error.message.includes(inner));
  });

test("a source that changed is a conflict", async (t) => {
  const { copy } = await openCopier(t, () => blobError(412, "SourceConditionNotMet"));

  await assert.rejects(copy({ sizeBytes: 10 }), (error) => isKind(error, "conflict"));
});

test("blocks of a source that changed meanwhile are never committed", async (t) => {
  const { copy, seen } = await openCopier(t, ({ method }) =>
    method === "HEAD" ? { status: 412, headers: { "x-ms-error-code": "ConditionNotMet" } } : created,
  );

  await assert.rejects(copy(), (error) => isKind(error, "conflict"));
  assert.equal(seen.filter(isBlock).length, 7);
  assert.ok(!seen.some(isCommit));
});

test("a block that fails ends the copy before others are begun", async (t) => {
  const { copy, seen } = await openCopier(t, (request) =>
    isBlock(request) ? blobError(403, "AuthorizationPermissionMismatch") : created,
  );

  await assert.rejects(
    copy(),
    (error) => isKind(error, "denied") && /copy block \d of object "copy"/.test(error.message),
  );
  assert.ok(seen.filter(isBlock).length <= sizes.parallel);
  assert.ok(!seen.some(isCommit));
});

test("a large source is copied by blocks of its ranges, with the location's settings, and its MD5 counts as unproved", async (t) => {
  const { copy, seen } = await openCopier(t, ({ method }) => (method === "HEAD" ? { headers: { etag } } : created));

  const copied = await copy();

  const blocks = seen.filter(isBlock);
  assert.deepEqual(
    new Set(blocks.map(({ headers }) => headers["x-ms-source-range"])),
    new Set(["0-3", "4-7", "8-11", "12-15", "16-19", "20-23", "24-24"].map((range) => `bytes=${range}`)),
  );
  assert.ok(blocks.every(({ headers }) => headers["x-ms-encryption-scope"] === "scope"));
  const commit = seen.find(isCommit);
  assert.equal(commit?.headers["x-ms-blob-content-md5"], md5.toString("base64"));
  assert.deepEqual([commit?.headers["x-ms-access-tier"], commit?.headers["x-ms-encryption-scope"]], ["Cool", "scope"]);
  assert.deepEqual([copied.sizeBytes, copied.checksum], [25n, undefined]);
});

test("a small source is copied whole, and its MD5, which the store compares, counts", async (t) => {
  const { copy, seen } = await openCopier(t, () => created);

  const copied = await copy({ sizeBytes: 10 });

  assert.deepEqual(
    seen.map(({ headers }) => headers["x-ms-source-content-md5"]),
    [md5.toString("base64"), undefined],
  );
  assert.equal(seen[0]?.headers["x-ms-source-if-match"], etag);
  assert.equal(copied.checksum?.value, md5.toString("base64"));
});

test("a signature for the store lies in the URL of the source and in no message", async (t) => {
  const { copy, seen } = await openCopier(t, () => blobError(404, "ContainerNotFound"));

  const error = await copy({ sizeBytes: 10 }).catch((thrown: unknown) => thrown);

  const url = String(seen[0]?.headers["x-ms-copy-source"]);
  assert.match(url, /\/ccc\/source\?.*sp=r.*sig=/);
  assert.ok(error instanceof PluginError && !error.message.includes("sig="));
});
