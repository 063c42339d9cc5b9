import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";

import type { Probe } from "../probe.ts";
import { hashesOf, jsonOf, reasonOf } from "./context.ts";
import type { GcsContext, RawAnswer } from "./context.ts";

async function read(
  context: GcsContext,
  name: string,
  headers: Record<string, string> = {},
  query = "",
): Promise<RawAnswer> {
  const bucket = await context.shared();
  const path = `/storage/v1/b/${bucket.name}/o/${encodeURIComponent(name)}?alt=media${query}`;
  return await context.send("GET", path, { headers: { "accept-encoding": "identity", ...headers } });
}

/** Objects that are read and listed. */
export const readingProbes: readonly Probe<GcsContext>[] = [
  {
    name: "a range of an object is read",
    run: async (context) => {
      const bytes = randomBytes(1000);
      const file = await context.put(bytes);

      const answer = await read(context, file.name, { range: "bytes=100-199" });

      assert.equal(answer.status, 206);
      assert.deepEqual(answer.body, bytes.subarray(100, 200));
      assert.equal(answer.headers.get("content-range"), "bytes 100-199/1000");
    },
  },
  {
    name: "the end of an object is read by a range without a beginning, or without an end",
    run: async (context) => {
      const bytes = randomBytes(1000);
      const file = await context.put(bytes);

      const suffix = await read(context, file.name, { range: "bytes=-10" });
      const rest = await read(context, file.name, { range: "bytes=990-" });

      assert.deepEqual(suffix.body, bytes.subarray(990));
      assert.deepEqual(rest.body, bytes.subarray(990));
    },
  },
  {
    name: "a range behind the end is 416",
    run: async (context) => {
      const file = await context.put("short");

      assert.equal((await read(context, file.name, { range: "bytes=5-9" })).status, 416);
    },
  },
  {
    name: "content comes with its generation, its size and its hashes",
    run: async (context) => {
      const bytes = randomBytes(1000);
      const file = await context.put(bytes);
      const [metadata] = await file.getMetadata();

      const { headers } = await read(context, file.name, { range: "bytes=0-9" });

      assert.equal(headers.get("x-goog-generation"), String(metadata.generation));
      assert.equal(headers.get("x-goog-metageneration"), "1");
      assert.equal(headers.get("x-goog-stored-content-length"), "1000");
      assert.match(
        headers.get("x-goog-hash") ?? "",
        new RegExp(`crc32c=${hashesOf(bytes).crc32c.replace(/[+/]/g, "\\$&")}`),
      );
    },
  },
  {
    name: "content of a generation that is gone is 404",
    run: async (context) => {
      const file = await context.put("x");

      assert.equal((await read(context, file.name, {}, "&generation=12345")).status, 404);
    },
  },
  {
    name: "an object that does not exist is 404 with the reason notFound",
    run: async (context) => {
      const { name } = await context.shared();

      const answer = await context.send("GET", `/storage/v1/b/${name}/o/absent`);

      assert.equal(answer.status, 404);
      const message = `No such object: ${name}/absent`;
      assert.deepEqual(jsonOf(answer), {
        error: { code: 404, message, errors: [{ message, domain: "global", reason: "notFound" }] },
      });
    },
  },
  {
    name: "a bucket that does not exist is 404 and says so",
    run: async (context) => {
      const answer = await context.send("GET", `/storage/v1/b/${context.name()}/o`);

      const message = "The specified bucket does not exist.";
      assert.equal(answer.status, 404);
      assert.deepEqual(jsonOf(answer), {
        error: { code: 404, message, errors: [{ message, domain: "global", reason: "notFound" }] },
      });
    },
  },
  {
    name: "an object is deleted once; the second delete is 404",
    run: async (context) => {
      const file = await context.put("x");
      await file.delete();

      assert.equal(await reasonOf(file.delete()), "404 notFound");
    },
  },
  {
    name: "an object stored as gzip is sent as it is to those who accept gzip",
    run: async (context) => {
      const packed = gzipSync("text");
      const file = (await context.shared()).file(context.name());
      await file.save(packed, { resumable: false, metadata: { contentEncoding: "gzip" } });

      const [metadata] = await file.getMetadata();
      const [whole] = await file.download({ decompress: false });

      assert.equal(Number(metadata.size), packed.length);
      assert.deepEqual(whole, packed);
    },
  },
  {
    name: "an object stored as gzip is unpacked for those who do not accept gzip",
    run: async (context) => {
      const file = (await context.shared()).file(context.name());
      await file.save(gzipSync("text"), { resumable: false, metadata: { contentEncoding: "gzip" } });

      const answer = await read(context, file.name);

      assert.equal(answer.status, 200);
      assert.equal(answer.body.toString("utf8"), "text");
      assert.equal(answer.headers.get("x-goog-stored-content-encoding"), "gzip");
    },
  },
  {
    name: "an object stored as gzip with no-transform is never unpacked",
    run: async (context) => {
      const packed = gzipSync("text");
      const file = (await context.shared()).file(context.name());
      const metadata = { contentEncoding: "gzip", cacheControl: "no-transform", contentType: "application/gzip" };
      await file.save(packed, { resumable: false, metadata });

      const [whole] = await file.download({ decompress: false });

      assert.deepEqual(whole, packed);
      assert.equal((await read(context, file.name, { range: "bytes=0-1" })).status, 206);
    },
  },
  {
    name: "parallel ranges of Google's client make the whole",
    run: async (context) => {
      const bytes = randomBytes(100_000);
      const file = await context.put(bytes);

      const parts = await Promise.all(
        [0, 1, 2, 3].map(async (i) => (await file.download({ start: i * 25_000, end: i * 25_000 + 24_999 }))[0]),
      );

      assert.deepEqual(Buffer.concat(parts), bytes);
    },
  },
  {
    name: "an object is read by the path of bucket and name, as Go's client does",
    run: async (context) => {
      const bytes = randomBytes(1000);
      const file = await context.put(bytes, undefined, `folder/${context.name()}`);
      const { name } = await context.shared();

      const answer = await context.send("GET", `/${name}/${file.name}`);

      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, bytes);
      assert.match(answer.headers.get("x-goog-hash") ?? "", /crc32c=/);
    },
  },
  {
    name: "by that path an object that does not exist is 404 in XML",
    run: async (context) => {
      const { name } = await context.shared();

      const answer = await context.send("GET", `/${name}/absent`);

      assert.equal(answer.status, 404);
      assert.match(answer.body.toString("utf8"), /<Code>NoSuchKey<\/Code>/);
    },
  },
];
