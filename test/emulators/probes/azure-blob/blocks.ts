import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import { blockIds, collect, md5Of, readAll, sasUrl } from "./context.ts";
import type { BlobContext } from "./context.ts";

/** Blobs that are uploaded in blocks. */
export const blockProbes: readonly Probe<BlobContext>[] = [
  {
    name: "blocks that came in any order make the blob that their list says",
    run: async (store) => {
      const blob = await store.blob();
      const ids = blockIds(5);
      const parts = ids.map(() => randomBytes(70_000));
      await Promise.all(ids.toReversed().map((id, i) => blob.stageBlock(id, parts[4 - i] ?? "", 70_000)));

      await blob.commitBlockList(ids);

      assert.deepEqual(await blob.downloadToBuffer(), Buffer.concat(parts));
    },
  },
  {
    name: "the MD5 committed with a list comes back, whatever it is",
    run: async (store) => {
      const blob = await store.blob();
      const ids = blockIds(1);
      await blob.stageBlock(ids[0] ?? "", "bytes", 5);

      await blob.commitBlockList(ids, { blobHTTPHeaders: { blobContentMD5: md5Of("whatever") } });

      assert.deepEqual(Buffer.from((await blob.getProperties()).contentMD5 ?? []), md5Of("whatever"));
    },
  },
  {
    name: "a blob of blocks has no MD5 of its own",
    run: async (store) => {
      const blob = await store.blob();
      const ids = blockIds(1);
      await blob.stageBlock(ids[0] ?? "", "bytes", 5);

      await blob.commitBlockList(ids);

      assert.equal((await blob.getProperties()).contentMD5, undefined);
    },
  },
  {
    name: "a wrong MD5 of a block is refused",
    run: async (store) => {
      const blob = await store.blob();

      const put = blob.stageBlock(blockIds(1)[0] ?? "", "right", 5, { transactionalContentMD5: md5Of("wrong") });

      await expectFailure(put, "Md5Mismatch", 400);
    },
  },
  {
    name: "a right MD5 of a block is told again",
    run: async (store) => {
      const blob = await store.blob();
      const options = { transactionalContentMD5: md5Of("right") };

      const { contentMD5 } = await blob.stageBlock(blockIds(1)[0] ?? "", "right", 5, options);

      assert.deepEqual(Buffer.from(contentMD5 ?? []), md5Of("right"));
    },
  },
  {
    name: "MD5 and CRC64 of one block are refused",
    run: async (store) => {
      const url = await sasUrl(await store.blob(), "w");
      const id = encodeURIComponent(blockIds(1)[0] ?? "");

      const response = await fetch(`${url}&comp=block&blockid=${id}`, {
        method: "PUT",
        body: "right",
        headers: { "content-md5": md5Of("right").toString("base64"), "x-ms-content-crc64": "AAAAAAAAAAA=" },
      });

      assert.equal(response.status, 400);
    },
  },
  {
    name: "block ids of different lengths are refused",
    run: async (store) => {
      const blob = await store.blob();
      await blob.stageBlock(Buffer.from("id-1").toString("base64"), "x", 1);

      const longer = blob.stageBlock(Buffer.from("id-1-longer").toString("base64"), "x", 1);

      await expectFailure(longer, "InvalidBlobOrBlock", 400);
    },
  },
  {
    name: "a block id that is no base64 is refused",
    run: async (store) => {
      const blob = await store.blob();

      const put = blob.stageBlock("not base64!", "x", 1);

      await expectFailure(put, ["InvalidQueryParameterValue", "InvalidBlockId"], 400);
    },
  },
  {
    name: "a block id of more than 64 bytes is refused",
    run: async (store) => {
      const blob = await store.blob();

      const put = blob.stageBlock(Buffer.alloc(65, "a").toString("base64"), "x", 1);

      await expectFailure(put, ["InvalidQueryParameterValue", "OutOfRangeInput", "InvalidBlockId"], 400);
    },
  },
  {
    name: "a list with an unknown block is refused and leaves the blob as it was",
    run: async (store) => {
      const blob = await store.put("former");

      await expectFailure(blob.commitBlockList(blockIds(1)), "InvalidBlockList", 400);

      assert.equal(await readAll(blob), "former");
    },
  },
  {
    name: "staged blocks leave the former blob as it was",
    run: async (store) => {
      const blob = await store.put("former");

      await blob.stageBlock(blockIds(1)[0] ?? "", "next", 4);

      assert.equal(await readAll(blob), "former");
    },
  },
  {
    name: "a blob of staged blocks alone is not found",
    run: async (store) => {
      const blob = await store.blob();
      await blob.stageBlock(blockIds(1)[0] ?? "", "x", 1);

      assert.equal(await blob.exists(), false);
      await expectFailure(blob.download(), "BlobNotFound", 404);
    },
  },
  {
    name: "a blob of staged blocks alone is listed only when asked for",
    run: async (store) => {
      const container = await store.newContainer();
      await container.getBlockBlobClient("waits").stageBlock(blockIds(1)[0] ?? "", "x", 1);

      const usual = await collect(container.listBlobsFlat());
      const asked = await collect(container.listBlobsFlat({ includeUncommitedBlobs: true }));

      assert.deepEqual([usual.map(({ name }) => name), asked.map(({ name }) => name)], [[], ["waits"]]);
    },
  },
  {
    name: "block lists tell what is committed and what waits",
    run: async (store) => {
      const blob = await store.blob();
      const [first = "", second = ""] = blockIds(2);
      await blob.stageBlock(first, "one", 3);
      await blob.commitBlockList([first]);
      await blob.stageBlock(second, "four", 4);

      const { committedBlocks, uncommittedBlocks } = await blob.getBlockList("all");

      assert.deepEqual(committedBlocks, [{ name: first, size: 3 }]);
      assert.deepEqual(uncommittedBlocks, [{ name: second, size: 4 }]);
    },
  },
  {
    name: "a committed block is used again",
    run: async (store) => {
      const blob = await store.blob();
      const [first = "", second = ""] = blockIds(2);
      await blob.stageBlock(first, "one", 3);
      await blob.commitBlockList([first]);
      await blob.stageBlock(second, "two", 3);

      await blob.commitBlockList([second, first, second]);

      assert.equal(await readAll(blob), "twoonetwo");
    },
  },
  {
    name: "a block that is staged again counts with its newest bytes",
    run: async (store) => {
      const blob = await store.blob();
      const [id = ""] = blockIds(1);
      await blob.stageBlock(id, "former", 6);
      await blob.stageBlock(id, "newest", 6);

      await blob.commitBlockList([id]);

      assert.equal(await readAll(blob), "newest");
    },
  },
  {
    name: "a commit drops the blocks that it does not name",
    run: async (store) => {
      const blob = await store.blob();
      const [first = "", second = ""] = blockIds(2);
      await blob.stageBlock(first, "one", 3);
      await blob.stageBlock(second, "two", 3);
      await blob.commitBlockList([first]);

      await expectFailure(blob.commitBlockList([second]), "InvalidBlockList", 400);
    },
  },
  {
    name: "a put drops all blocks that wait",
    run: async (store) => {
      const blob = await store.blob();
      const ids = blockIds(1);
      await blob.stageBlock(ids[0] ?? "", "one", 3);
      await blob.upload("whole", 5);

      await expectFailure(blob.commitBlockList(ids), "InvalidBlockList", 400);
    },
  },
  {
    name: "an empty list makes an empty blob",
    run: async (store) => {
      const blob = await store.blob();

      await blob.commitBlockList([]);

      assert.equal((await blob.getProperties()).contentLength, 0);
    },
  },
  {
    name: "a list of more than 50000 blocks is refused",
    run: async (store) => {
      const blob = await store.blob();
      const [id = ""] = blockIds(1);
      await blob.stageBlock(id, "x", 1);

      const commit = blob.commitBlockList(Array.from({ length: 50_001 }, () => id));

      await expectFailure(commit, ["BlockListTooLong", "BlockCountExceedsLimit"]);
    },
  },
  {
    name: "an empty block is refused",
    run: async (store) => {
      const url = await sasUrl(await store.blob(), "w");
      const id = encodeURIComponent(blockIds(1)[0] ?? "");

      const response = await fetch(`${url}&comp=block&blockid=${id}`, { method: "PUT", body: "" });

      assert.equal(response.status, 400);
    },
  },
  {
    name: "settings of a list are those of the blob",
    run: async (store) => {
      const blob = await store.blob();
      const ids = blockIds(1);
      await blob.stageBlock(ids[0] ?? "", "x", 1);

      await blob.commitBlockList(ids, {
        metadata: { team: "backup" },
        tags: { a: "b" },
        tier: "Cool",
        blobHTTPHeaders: { blobContentType: "text/plain" },
      });
      const found = await blob.getProperties();

      assert.deepEqual(
        [found.metadata, found.tagCount, found.accessTier, found.contentType],
        [{ team: "backup" }, 1, "Cool", "text/plain"],
      );
    },
  },
  {
    name: "the SDK's parallel upload comes out whole",
    run: async (store) => {
      const blob = await store.blob();
      const body = randomBytes(9 * 1024 ** 2 + 17);

      await blob.uploadData(body, { blockSize: 1024 ** 2, concurrency: 4, maxSingleShotSize: 1024 });

      assert.deepEqual(await blob.downloadToBuffer(), body);
    },
  },
];
