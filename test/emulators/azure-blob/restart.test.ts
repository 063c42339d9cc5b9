import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";

import { BlobSASPermissions, generateBlobSASQueryParameters } from "@azure/storage-blob";

import { blockIds, collect, get, md5Of, readAll } from "../probes/azure-blob/context.ts";
import { startProbed } from "./probed-stand-in.ts";
import type { ProbedOptions, ProbedStandIn } from "./probed-stand-in.ts";

type Run = <T>(use: (standIn: ProbedStandIn) => Promise<T>) => Promise<T>;

/** Returns a function that starts the stand-in on one folder, uses it, and ends it. */
async function newStore(t: TestContext, options: ProbedOptions = {}): Promise<Run> {
  const stateDir = await mkdtemp(join(tmpdir(), "azure-blob-restart-"));
  t.after(() => rm(stateDir, { recursive: true }));
  return async (use) => {
    await using standIn = await startProbed({ ...options, stateDir });
    return await use(standIn);
  };
}

describe("the state of the Azure Blob stand-in", { concurrency: true }, () => {
  test("a blob with what belongs to it is there after a restart", async (t) => {
    const run = await newStore(t);
    const options = { metadata: { a: "1" }, tags: { b: "2" }, blobHTTPHeaders: { blobContentType: "text/plain" } };
    const { containerName, name, etag } = await run(async ({ context }) => {
      const blob = await context.put("bytes", options);
      const { etag } = await blob.getProperties();
      return { containerName: blob.containerName, name: blob.name, etag };
    });

    await run(async ({ context }) => {
      const blob = context.service.getContainerClient(containerName).getBlockBlobClient(name);
      const found = await blob.getProperties();
      assert.equal(await readAll(blob), "bytes");
      assert.deepEqual([found.metadata, found.contentType, found.etag], [{ a: "1" }, "text/plain", etag]);
      assert.deepEqual((await blob.getTags()).tags, { b: "2" });
    });
  });

  test("blocks that wait are there after a restart", async (t) => {
    const run = await newStore(t);
    const ids = blockIds(2);
    const { containerName, name } = await run(async ({ context }) => {
      const blob = await context.blob();
      await blob.stageBlock(ids[0] ?? "", "one", 3);
      return { containerName: blob.containerName, name: blob.name };
    });

    await run(async ({ context }) => {
      const blob = context.service.getContainerClient(containerName).getBlockBlobClient(name);
      await blob.stageBlock(ids[1] ?? "", "two", 3);
      await blob.commitBlockList(ids);
      assert.equal(await readAll(blob), "onetwo");
    });
  });

  test("versions and snapshots are there after a restart", async (t) => {
    const run = await newStore(t);
    const facts = await run(async ({ context }) => {
      const blob = (await context.versionedContainer()).getBlockBlobClient("kept");
      const { versionId = "" } = await blob.upload("first", 5);
      const { snapshot = "" } = await blob.createSnapshot();
      await blob.upload("second", 6);
      return { containerName: blob.containerName, versionId, snapshot };
    });

    await run(async ({ context }) => {
      const container = context.serviceOf(context.target.versioned).getContainerClient(facts.containerName);
      const blob = container.getBlockBlobClient("kept");
      assert.equal(await readAll(blob), "second");
      assert.equal((await blob.withVersion(facts.versionId).downloadToBuffer()).toString(), "first");
      assert.equal(await readAll(blob.withSnapshot(facts.snapshot)), "first");
    });
  });

  test("a pending copy ends after a restart", async (t) => {
    const run = await newStore(t, { copyMs: 100 });
    const { containerName, name } = await run(async ({ context }) => {
      const source = await context.put("bytes");
      const target = await context.blob();
      await target.beginCopyFromURL(source.url);
      return { containerName: target.containerName, name: target.name };
    });
    await new Promise((resolve) => void setTimeout(resolve, 150));

    await run(async ({ context }) => {
      const blob = context.service.getContainerClient(containerName).getBlockBlobClient(name);
      assert.equal((await blob.getProperties()).copyStatus, "success");
      assert.equal(await readAll(blob), "bytes");
    });
  });

  test("a URL of a user delegation key is good after a restart", async (t) => {
    const run = await newStore(t);
    const expiresOn = new Date(Date.now() + 60_000);
    const { path, query } = await run(async ({ context }) => {
      const blob = await context.put("bytes");
      const service = context.serviceWith(context.tokenCredential());
      const key = await service.getUserDelegationKey(new Date(Date.now() - 60_000), expiresOn);
      const { containerName, name: blobName } = blob;
      const values = { containerName, blobName, permissions: BlobSASPermissions.parse("r"), expiresOn };
      const sas = generateBlobSASQueryParameters(values, key, context.target.main.name);
      return { path: new URL(blob.url).pathname, query: sas.toString() };
    });

    await run(async ({ blob }) => assert.deepEqual(await get(`${blob.url}${path}?${query}`), [200, null]));
  });

  test("a bit that flips on disk is served, beside the MD5 of the bytes that were put", async (t) => {
    const run = await newStore(t);
    const body = randomBytes(1000);

    await run(async ({ context, blob: server }) => {
      const blob = await context.put(body);
      const file = server.blobFile(context.target.main.name, blob.containerName, blob.name);
      const bytes = await readFile(file);
      bytes.writeUInt8(bytes.readUInt8(500) ^ 1, 500);
      await writeFile(file, bytes);

      const served = await blob.downloadToBuffer();
      const { contentMD5 } = await blob.getProperties();

      assert.notDeepEqual(served, body);
      assert.deepEqual(Buffer.from(contentMD5 ?? []), md5Of(body));
    });
  });

  test("a file that was cut on disk breaks the answer", async (t) => {
    const run = await newStore(t);

    await run(async ({ context, blob: server }) => {
      const blob = await context.put(randomBytes(1000));
      await truncate(server.blobFile(context.target.main.name, blob.containerName, blob.name), 400);

      await assert.rejects(blob.downloadToBuffer());
    });
  });

  test("a deleted container leaves nothing to the next of its name", async (t) => {
    const run = await newStore(t);

    await run(async ({ context }) => {
      const container = await context.newContainer();
      await container.getBlockBlobClient("x").upload("x", 1);
      await container.getBlockBlobClient("y").stageBlock(blockIds(1)[0] ?? "", "y", 1);
      await container.delete();
      await container.create();

      assert.deepEqual(await collect(container.listBlobsFlat({ includeUncommitedBlobs: true })), []);
    });
  });
});
