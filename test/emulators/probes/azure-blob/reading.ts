import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import { md5Of, readAll, sasUrl } from "./context.ts";
import type { BlobContext } from "./context.ts";

const hour = 3_600_000;

async function bytesOf(stream: NodeJS.ReadableStream | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Ranges and conditions. */
export const readingProbes: readonly Probe<BlobContext>[] = [
  {
    name: "a range returns its bytes",
    run: async (store) => {
      const body = randomBytes(1000);
      const blob = await store.put(body);

      const middle = await blob.download(10, 10);
      const rest = await blob.download(990, 5000);

      assert.deepEqual(await bytesOf(middle.readableStreamBody), body.subarray(10, 20));
      assert.deepEqual(await bytesOf(rest.readableStreamBody), body.subarray(990));
      assert.equal(middle.contentRange, "bytes 10-19/1000");
    },
  },
  {
    name: "a range behind the end is refused",
    run: async (store) => {
      const blob = await store.put("short");

      await expectFailure(blob.download(5, 4), "InvalidRange", 416);
    },
  },
  {
    name: "a range tells the MD5 of the whole blob apart from its own",
    run: async (store) => {
      const blob = await store.put("0123456789");

      const plain = await blob.download(2, 3);
      const asked = await blob.download(2, 3, { rangeGetContentMD5: true });
      await bytesOf(plain.readableStreamBody);
      await bytesOf(asked.readableStreamBody);

      assert.deepEqual([plain.contentMD5, Buffer.from(plain.blobContentMD5 ?? [])], [undefined, md5Of("0123456789")]);
      assert.deepEqual(Buffer.from(asked.contentMD5 ?? []), md5Of("234"));
    },
  },
  {
    name: "the MD5 of a range without a range is refused",
    run: async (store) => {
      const url = await sasUrl(await store.put("x"), "r");

      const response = await fetch(url, { headers: { "x-ms-range-get-content-md5": "true" } });

      assert.equal(response.status, 400);
    },
  },
  {
    name: "the MD5 of a range of more than 4 MiB is refused",
    run: async (store) => {
      const blob = await store.put(Buffer.alloc(4 * 1024 ** 2 + 1));

      const read = blob.download(0, 4 * 1024 ** 2 + 1, { rangeGetContentMD5: true });

      await expectFailure(read, ["InvalidHeaderValue", "OutOfRangeInput", "InvalidInput"], 400);
    },
  },
  {
    name: "If-Match reads only the blob that it names",
    run: async (store) => {
      const blob = await store.put("x");
      const { etag = "" } = await blob.getProperties();

      await bytesOf((await blob.download(0, 1, { conditions: { ifMatch: etag } })).readableStreamBody);
      const other = blob.download(0, 1, { conditions: { ifMatch: '"0x8D0000000000000"' } });

      await expectFailure(other, "ConditionNotMet", 412);
    },
  },
  {
    name: "If-Match refuses the rest of a blob that was replaced",
    run: async (store) => {
      const blob = await store.put("first");
      const { etag = "" } = await blob.getProperties();
      await blob.upload("other", 5);

      await expectFailure(blob.download(1, 2, { conditions: { ifMatch: etag } }), "ConditionNotMet", 412);
    },
  },
  {
    name: "If-None-Match of what is there is 304",
    run: async (store) => {
      const blob = await store.put("x");
      const { etag = "" } = await blob.getProperties();

      const response = await fetch(await sasUrl(blob, "r"), { headers: { "if-none-match": etag } });

      assert.deepEqual([response.status, await response.text()], [304, ""]);
    },
  },
  {
    name: "dates decide like ETags",
    run: async (store) => {
      const url = await sasUrl(await store.put("x"), "r");
      const past = new Date(Date.now() - hour).toUTCString();
      const future = new Date(Date.now() + hour).toUTCString();
      const status = async (headers: Record<string, string>): Promise<number> => (await fetch(url, { headers })).status;

      assert.deepEqual(
        [
          await status({ "if-modified-since": past }),
          await status({ "if-modified-since": future }),
          await status({ "if-unmodified-since": past }),
          await status({ "if-unmodified-since": future }),
        ],
        [200, 304, 412, 200],
      );
    },
  },
  {
    name: "If-None-Match of a put refuses to overwrite",
    run: async (store) => {
      const blob = await store.put("first");

      const again = blob.upload("other", 5, { conditions: { ifNoneMatch: "*" } });

      await expectFailure(again, "BlobAlreadyExists", 409);
      assert.equal(await readAll(blob), "first");
    },
  },
  {
    name: "If-None-Match of a block list refuses to overwrite",
    run: async (store) => {
      const blob = await store.put("first");

      const again = blob.commitBlockList([], { conditions: { ifNoneMatch: "*" } });

      await expectFailure(again, "BlobAlreadyExists", 409);
      assert.equal(await readAll(blob), "first");
    },
  },
  {
    name: "If-Match of a put replaces only the blob that it names",
    run: async (store) => {
      const blob = await store.put("first");
      const { etag = "" } = await blob.getProperties();
      await blob.upload("second", 6, { conditions: { ifMatch: etag } });

      const stale = blob.upload("third", 5, { conditions: { ifMatch: etag } });

      await expectFailure(stale, "ConditionNotMet", 412);
      assert.equal(await readAll(blob), "second");
    },
  },
  {
    name: "If-Match of a put where nothing is fails",
    run: async (store) => {
      const blob = await store.blob();

      const put = blob.upload("x", 1, { conditions: { ifMatch: '"0x8D0000000000000"' } });

      await expectFailure(put, "ConditionNotMet", 412);
    },
  },
  {
    name: "If-Match of a delete spares another blob",
    run: async (store) => {
      const blob = await store.put("x");

      await expectFailure(blob.delete({ conditions: { ifMatch: '"0x8D0000000000000"' } }), "ConditionNotMet", 412);

      assert.equal(await blob.exists(), true);
    },
  },
  {
    name: "of many puts with If-None-Match one succeeds",
    run: async (store) => {
      const blob = await store.blob();
      const bodies = Array.from({ length: 8 }, (_, i) => String(i));

      const results = await Promise.allSettled(
        bodies.map((body) => blob.upload(body, 1, { conditions: { ifNoneMatch: "*" } })),
      );

      assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    },
  },
  {
    name: "a condition on tags decides",
    run: async (store) => {
      const blob = await store.put("x", { tags: { team: "backup" } });

      await blob.getProperties({ conditions: { tagConditions: "\"team\" = 'backup'" } });
      const other = blob.download(0, 1, { conditions: { tagConditions: "\"team\" = 'other'" } });

      await expectFailure(other, "ConditionNotMet", 412);
    },
  },
];
