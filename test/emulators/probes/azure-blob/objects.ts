import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import { crc64Of, md5Of, readAll, sasUrl } from "./context.ts";
import type { BlobContext } from "./context.ts";

/** Whole blobs: what is stored with them, their checksums, their end. */
export const objectProbes: readonly Probe<BlobContext>[] = [
  {
    name: "a blob comes back as it was put",
    run: async (store) => {
      const body = randomBytes(300_000);
      const blob = await store.put(body);

      assert.deepEqual(await blob.downloadToBuffer(), body);
    },
  },
  {
    name: "an empty blob is stored and read",
    run: async (store) => {
      const blob = await store.put("");

      const { contentLength } = await blob.getProperties();

      assert.equal(contentLength, 0);
    },
  },
  {
    name: "metadata and content headers come back",
    run: async (store) => {
      const blobHTTPHeaders = {
        blobContentType: "text/plain",
        blobContentEncoding: "identity",
        blobContentLanguage: "de",
        blobContentDisposition: "inline",
        blobCacheControl: "no-cache",
      };
      const blob = await store.put("x", { metadata: { team: "backup", _a1: "b" }, blobHTTPHeaders });

      const found = await blob.getProperties();

      assert.deepEqual(found.metadata, { team: "backup", _a1: "b" });
      assert.deepEqual(
        [found.contentType, found.contentEncoding, found.contentLanguage, found.contentDisposition, found.cacheControl],
        ["text/plain", "identity", "de", "inline", "no-cache"],
      );
    },
  },
  {
    name: "a metadata name that is no identifier is refused",
    run: async (store) => {
      await expectFailure(store.put("x", { metadata: { "not-a-name": "x" } }), "InvalidMetadata", 400);
    },
  },
  {
    name: "the MD5 of a whole blob is computed and kept",
    run: async (store) => {
      const blob = await store.put("some bytes");

      const { contentMD5 } = await blob.getProperties();

      assert.deepEqual(Buffer.from(contentMD5 ?? []), md5Of("some bytes"));
    },
  },
  {
    name: "a wrong MD5 of a transfer is refused and nothing is stored",
    run: async (store) => {
      const blob = await store.blob();

      const response = await fetch(await sasUrl(blob, "cw"), {
        method: "PUT",
        body: "right",
        headers: { "x-ms-blob-type": "BlockBlob", "content-md5": md5Of("wrong").toString("base64") },
      });

      assert.deepEqual([response.status, response.headers.get("x-ms-error-code")], [400, "Md5Mismatch"]);
      assert.equal(await blob.exists(), false);
    },
  },
  {
    name: "a wrong MD5 of the blob is refused and nothing is stored",
    run: async (store) => {
      const blob = await store.blob();

      const put = blob.upload("right", 5, { blobHTTPHeaders: { blobContentMD5: md5Of("wrong") } });

      await expectFailure(put, "Md5Mismatch", 400);
      assert.equal(await blob.exists(), false);
    },
  },
  {
    name: "an MD5 that is none is refused",
    run: async (store) => {
      const blob = await store.blob();

      const put = blob.upload("x", 1, { blobHTTPHeaders: { blobContentMD5: Buffer.from("short") } });

      await expectFailure(put, "InvalidMd5", 400);
    },
  },
  {
    name: "content headers are set anew and the others cleared",
    run: async (store) => {
      const blob = await store.put("x", { blobHTTPHeaders: { blobContentType: "a/b", blobCacheControl: "no-cache" } });

      await blob.setHTTPHeaders({ blobContentType: "c/d" });
      const found = await blob.getProperties();

      assert.deepEqual([found.contentType, found.cacheControl ?? ""], ["c/d", ""]);
    },
  },
  {
    name: "metadata are replaced whole",
    run: async (store) => {
      const blob = await store.put("x", { metadata: { a: "1", b: "2" } });
      const before = await blob.getProperties();

      await blob.setMetadata({ c: "3" });
      const after = await blob.getProperties();

      assert.deepEqual(after.metadata, { c: "3" });
      assert.notEqual(after.etag, before.etag);
    },
  },
  {
    name: "tags of a put come back and are counted",
    run: async (store) => {
      const blob = await store.put("x", { tags: { team: "backup", "key two": "v/1" } });

      const { tags } = await blob.getTags();
      const { tagCount } = await blob.getProperties();

      assert.deepEqual([tags, tagCount], [{ team: "backup", "key two": "v/1" }, 2]);
    },
  },
  {
    name: "tags are replaced and leave the ETag as it is",
    run: async (store) => {
      const blob = await store.put("x", { tags: { a: "1" } });
      const before = await blob.getProperties();

      await blob.setTags({ b: "2" });
      const after = await blob.getProperties();

      assert.deepEqual((await blob.getTags()).tags, { b: "2" });
      assert.equal(after.etag, before.etag);
    },
  },
  {
    name: "eleven tags are refused",
    run: async (store) => {
      const tags = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`t${i}`, "x"]));

      await expectFailure(store.put("x", { tags }), ["TagsTooLarge", "InvalidTag"], 400);
    },
  },
  {
    name: "a tier is kept, and one that is inferred says so",
    run: async (store) => {
      const cool = await (await store.put("x", { tier: "Cool" })).getProperties();
      const usual = await (await store.put("x")).getProperties();

      assert.deepEqual([cool.accessTier, cool.accessTierInferred ?? false], ["Cool", false]);
      assert.deepEqual([usual.accessTier, usual.accessTierInferred], ["Hot", true]);
    },
  },
  {
    name: "an unknown tier is refused",
    run: async (store) => {
      const headers = { "x-ms-blob-type": "BlockBlob", "x-ms-access-tier": "Lukewarm" };

      const response = await fetch(await sasUrl(await store.blob(), "cw"), { method: "PUT", body: "x", headers });

      assert.equal(response.status, 400);
    },
  },
  {
    name: "the tier Cold is accepted",
    run: async (store) => {
      const { accessTier } = await (await store.put("x", { tier: "Cold" })).getProperties();

      assert.equal(accessTier, "Cold");
    },
  },
  {
    name: "an archived blob is described and not read",
    run: async (store) => {
      const blob = await store.put("x", { tier: "Archive" });

      assert.equal((await blob.getProperties()).accessTier, "Archive");
      await expectFailure(blob.download(), "BlobArchived", 409);
    },
  },
  {
    name: "a tier is changed",
    run: async (store) => {
      const blob = await store.put("x");

      await blob.setAccessTier("Cool");

      assert.equal((await blob.getProperties()).accessTier, "Cool");
    },
  },
  {
    name: "a deleted blob is gone, and deleting it again is BlobNotFound",
    run: async (store) => {
      const blob = await store.put("x");

      await blob.delete();

      assert.equal(await blob.exists(), false);
      await expectFailure(blob.delete(), "BlobNotFound", 404);
    },
  },
  {
    name: "a missing blob is BlobNotFound",
    run: async (store) => {
      const blob = await store.blob();

      await expectFailure(blob.download(), "BlobNotFound", 404);
      await expectFailure(blob.getProperties(), "BlobNotFound", 404);
    },
  },
  {
    name: "a missing container is ContainerNotFound",
    run: async (store) => {
      const container = store.service.getContainerClient(store.name());
      const blob = container.getBlockBlobClient("x");

      await expectFailure(blob.download(), "ContainerNotFound", 404);
      await expectFailure(blob.upload("x", 1), "ContainerNotFound", 404);
      await expectFailure(container.listBlobsFlat().next(), "ContainerNotFound", 404);
    },
  },
  {
    name: "an overwritten blob has the new bytes and a new ETag",
    run: async (store) => {
      const blob = await store.put("first");
      const before = await blob.getProperties();

      await blob.upload("second", 6);
      const after = await blob.getProperties();

      assert.equal(await readAll(blob), "second");
      assert.notEqual(after.etag, before.etag);
    },
  },
  {
    name: "an overwritten blob keeps the time of its creation",
    run: async (store) => {
      const blob = await store.put("first");
      const before = await blob.getProperties();

      // It is told in seconds: one of them is over in any case.
      await delay(1100);
      await blob.upload("second", 6);
      const after = await blob.getProperties();

      assert.deepEqual(after.createdOn, before.createdOn);
    },
  },
  {
    name: "an answer to a put tells the MD5 of what came",
    run: async (store) => {
      const blob = await store.blob();

      const { contentMD5 } = await blob.upload("bytes", 5);

      assert.deepEqual(Buffer.from(contentMD5 ?? []), md5Of("bytes"));
    },
  },
  {
    name: "an unknown blob type is refused",
    run: async (store) => {
      const url = await sasUrl(await store.blob(), "cw");

      const response = await fetch(url, { method: "PUT", body: "x", headers: { "x-ms-blob-type": "RoundBlob" } });

      assert.equal(response.status, 400);
    },
  },
  {
    name: "a right CRC64 of a block is accepted and a wrong one refused",
    run: async (store) => {
      const blob = await store.blob();
      const id = Buffer.from("one").toString("base64");

      await blob.stageBlock(id, "bytes", 5, { transactionalContentCrc64: crc64Of("bytes") });
      const wrong = blob.stageBlock(id, "bytes", 5, { transactionalContentCrc64: crc64Of("other") });

      await expectFailure(wrong, "Crc64Mismatch", 400);
    },
  },
];
