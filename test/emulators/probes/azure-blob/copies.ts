import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import { blockIds, md5Of, readAll, sasUrl } from "./context.ts";
import type { BlobContext } from "./context.ts";

/** Copies within the service. */
export const copyProbes: readonly Probe<BlobContext>[] = [
  {
    name: "a copy within an account needs no signature and ends in success",
    run: async (store) => {
      const source = await store.put("bytes", { metadata: { a: "1" }, blobHTTPHeaders: { blobContentType: "a/b" } });
      const target = await store.blob();

      const { copyStatus, copyId } = await (await target.beginCopyFromURL(source.url)).pollUntilDone();
      const found = await target.getProperties();

      assert.deepEqual([copyStatus, found.copyStatus, found.copyId], ["success", "success", copyId]);
      assert.deepEqual([found.metadata, found.contentType], [{ a: "1" }, "a/b"]);
      assert.equal(await readAll(target), "bytes");
    },
  },
  {
    name: "a copy tells its source and its progress",
    run: async (store) => {
      const source = await store.put("bytes");
      const target = await store.blob();
      await (await target.beginCopyFromURL(source.url)).pollUntilDone();

      const found = await target.getProperties();

      assert.deepEqual([found.copySource, found.copyProgress], [source.url, "5/5"]);
    },
  },
  {
    name: "a copy with metadata has those alone",
    run: async (store) => {
      const source = await store.put("bytes", { metadata: { a: "1" } });
      const target = await store.blob();

      await (await target.beginCopyFromURL(source.url, { metadata: { b: "2" } })).pollUntilDone();

      assert.deepEqual((await target.getProperties()).metadata, { b: "2" });
    },
  },
  {
    name: "a copy from another account needs a signature",
    run: async (store) => {
      const source = (await store.otherContainer()).getBlockBlobClient(store.name());
      await source.upload("bytes", 5);
      const target = await store.blob();

      await assert.rejects(target.beginCopyFromURL(source.url));
      await (await target.beginCopyFromURL(await sasUrl(source, "r"))).pollUntilDone();

      assert.equal(await readAll(target), "bytes");
    },
  },
  {
    name: "a copy of what is missing fails",
    run: async (store) => {
      const missing = await store.blob();
      const target = await store.blob();

      await expectFailure(
        target.beginCopyFromURL(missing.url),
        ["CannotVerifyCopySource", "BlobNotFound", "ResourceNotFound"],
        404,
      );
    },
  },
  {
    name: "a copy under a condition on its source is refused when it changed",
    run: async (store) => {
      const source = await store.put("bytes");
      const target = await store.blob();

      const copy = target.beginCopyFromURL(source.url, { sourceConditions: { ifMatch: '"0x8D0000000000000"' } });

      await expectFailure(copy, "SourceConditionNotMet", 412);
    },
  },
  {
    name: "a copy refuses to overwrite when told so",
    run: async (store) => {
      const [source, target] = [await store.put("bytes"), await store.put("former")];

      const copy = target.beginCopyFromURL(source.url, { conditions: { ifNoneMatch: "*" } });

      await expectFailure(copy, "BlobAlreadyExists", 409);
      assert.equal(await readAll(target), "former");
    },
  },
  {
    name: "no copy that has ended is aborted",
    run: async (store) => {
      const source = await store.put("bytes");
      const target = await store.blob();
      const { copyId = "" } = await (await target.beginCopyFromURL(source.url)).pollUntilDone();

      await expectFailure(target.abortCopyFromURL(copyId), "NoPendingCopyOperation", 409);
    },
  },
  {
    name: "a synchronous copy is there with its answer",
    run: async (store) => {
      const source = await store.put("bytes", { metadata: { a: "1" } });
      const target = await store.blob();

      const { copyStatus } = await target.syncCopyFromURL(await sasUrl(source, "r"));

      assert.deepEqual([copyStatus, await readAll(target)], ["success", "bytes"]);
      assert.deepEqual((await target.getProperties()).metadata, { a: "1" });
    },
  },
  {
    name: "a synchronous copy checks the MD5 that it is given",
    run: async (store) => {
      const source = await sasUrl(await store.put("bytes"), "r");
      const target = await store.blob();

      const copy = target.syncCopyFromURL(source, { sourceContentMD5: md5Of("other") });

      await expectFailure(copy, "Md5Mismatch", 400);
    },
  },
  {
    name: "a blob is put from a URL",
    run: async (store) => {
      const source = await store.put("bytes", { blobHTTPHeaders: { blobContentType: "a/b" } });
      const target = await store.blob();

      await target.syncUploadFromURL(await sasUrl(source, "r"), { metadata: { b: "2" } });
      const found = await target.getProperties();

      assert.equal(await readAll(target), "bytes");
      assert.deepEqual([found.metadata, found.contentType], [{ b: "2" }, "a/b"]);
    },
  },
  {
    name: "a token authorizes the source of a put from a URL",
    run: async (store) => {
      const source = await store.put("bytes");
      const target = await store.blob();
      const token = store.target.tokens.issue(
        { tenantId: "t", objectId: "o", clientId: "c" },
        "https://storage.azure.com/",
      );

      await target.syncUploadFromURL(source.url, { sourceAuthorization: { scheme: "Bearer", value: token } });

      assert.equal(await readAll(target), "bytes");
    },
  },
  {
    name: "blocks are staged from ranges of a URL",
    run: async (store) => {
      const body = randomBytes(10_000);
      const source = await sasUrl(await store.put(body), "r");
      const target = await store.blob();
      const [first = "", second = ""] = blockIds(2);

      await target.stageBlockFromURL(first, source, 0, 6000, { sourceContentMD5: md5Of(body.subarray(0, 6000)) });
      await target.stageBlockFromURL(second, source, 6000, 4000);
      await target.commitBlockList([first, second]);

      assert.deepEqual(await target.downloadToBuffer(), body);
    },
  },
  {
    name: "a block from a URL checks the MD5 that it is given",
    run: async (store) => {
      const source = await sasUrl(await store.put("bytes"), "r");
      const target = await store.blob();

      const stage = target.stageBlockFromURL(blockIds(1)[0] ?? "", source, 0, 5, { sourceContentMD5: md5Of("other") });

      await expectFailure(stage, "Md5Mismatch", 400);
    },
  },
  {
    name: "a block from a URL without a signature is refused",
    run: async (store) => {
      const source = (await store.otherContainer()).getBlockBlobClient(store.name());
      await source.upload("bytes", 5);
      const target = await store.blob();

      const stage = target.stageBlockFromURL(blockIds(1)[0] ?? "", source.url, 0, 5);

      await assert.rejects(stage);
    },
  },
];
