import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import type { Probe } from "../probe.ts";
import { hashesOf, jsonOf, reasonOf } from "./context.ts";
import type { GcsContext } from "./context.ts";

/** Objects that arrive in one request. */
export const uploadProbes: readonly Probe<GcsContext>[] = [
  {
    name: "an object is put in one request and read",
    run: async (context) => {
      const bytes = randomBytes(100_000);
      const file = await context.put(bytes);

      const [read] = await file.download();
      const [metadata] = await file.getMetadata();

      assert.deepEqual(read, bytes);
      assert.equal(metadata.size, String(bytes.length));
      assert.equal(metadata.crc32c, hashesOf(bytes).crc32c);
      assert.equal(metadata.md5Hash, hashesOf(bytes).md5Hash);
    },
  },
  {
    name: "an empty object is put and read",
    run: async (context) => {
      const file = await context.put("");

      const [read] = await file.download();

      assert.equal(read.length, 0);
    },
  },
  {
    name: "an object is put as media, without metadata",
    run: async (context) => {
      const { name: bucket } = await context.shared();
      const name = context.name();

      const path = `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${name}`;
      const answer = await context.send("POST", path, { headers: { "content-type": "text/plain" }, body: "text" });

      assert.equal(answer.status, 200);
      assert.equal(jsonOf(answer)["contentType"], "text/plain");
      assert.equal(jsonOf(answer)["size"], "4");
    },
  },
  {
    name: "content that holds something like a boundary is stored as it is",
    run: async (context) => {
      const bytes = Buffer.from("\r\n--\r\n--boundary\r\n\r\n--boundary-\r\n");
      const body = Buffer.concat([
        Buffer.from('--boundary1\r\nContent-Type: application/json\r\n\r\n{"contentType":"a/b"}\r\n'),
        Buffer.from("--boundary1\r\nContent-Type: application/octet-stream\r\n\r\n"),
        bytes,
        Buffer.from("\r\n--boundary1--"),
      ]);
      const { name: bucket } = await context.shared();
      const name = context.name();

      const path = `/upload/storage/v1/b/${bucket}/o?uploadType=multipart&name=${name}`;
      const headers = { "content-type": 'multipart/related; boundary="boundary1"' };
      const answer = await context.send("POST", path, { headers, body });

      assert.equal(answer.status, 200, answer.body.toString("utf8"));
      assert.equal(jsonOf(answer)["crc32c"], hashesOf(bytes).crc32c);
    },
  },
  {
    name: "a multipart body without an end is refused",
    run: async (context) => {
      const body =
        "--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\nhalf";
      const { name: bucket } = await context.shared();
      const name = context.name();

      const path = `/upload/storage/v1/b/${bucket}/o?uploadType=multipart&name=${name}`;
      const headers = { "content-type": "multipart/related; boundary=b" };
      const answer = await context.send("POST", path, { headers, body });

      assert.equal(answer.status, 400);
      assert.equal(await reasonOf((await context.shared()).file(name).getMetadata()), "404 notFound");
    },
  },
  {
    name: "a wrong CRC32C in the metadata is refused, and nothing is stored",
    run: async (context) => {
      const file = (await context.shared()).file(context.name());

      const reason = await reasonOf(file.save("right", { resumable: false, metadata: { crc32c: "AAAAAA==" } }));

      assert.equal(reason, "400 invalid");
      assert.equal(await reasonOf(file.getMetadata()), "404 notFound");
    },
  },
  {
    name: "a wrong MD5 in the metadata is refused, and nothing is stored",
    run: async (context) => {
      const file = (await context.shared()).file(context.name());

      const metadata = { md5Hash: "AAAAAAAAAAAAAAAAAAAAAA==" };
      const reason = await reasonOf(file.save("right", { resumable: false, metadata }));

      assert.equal(reason, "400 invalid");
      assert.equal(await reasonOf(file.getMetadata()), "404 notFound");
    },
  },
  {
    name: "an upload into a bucket that does not exist is 404",
    run: async (context) => {
      const bucket = context.storage.bucket(context.name());

      assert.equal(await reasonOf(bucket.file("x").save("x", { resumable: false })), "404 notFound");
    },
  },
  {
    name: "metadata, content headers and storage class of an upload come back",
    run: async (context) => {
      const file = (await context.shared()).file(context.name());
      const metadata = {
        contentType: "application/gzip",
        cacheControl: "no-transform",
        contentDisposition: "inline",
        contentLanguage: "de",
        metadata: { key: "wert" },
        storageClass: "NEARLINE",
      };

      await file.save("x", { resumable: false, metadata });

      const [found] = await file.getMetadata();
      for (const [name, value] of Object.entries(metadata)) {
        // Names of the type above.
        assert.deepEqual(found[name as keyof typeof found], value, name);
      }
    },
  },
  {
    name: "an unknown storage class is refused",
    run: async (context) => {
      const file = (await context.shared()).file(context.name());

      const reason = await reasonOf(file.save("x", { resumable: false, metadata: { storageClass: "WARM" } }));

      assert.equal(reason, "400 invalid");
    },
  },
  {
    name: "a name of more than 1024 bytes is refused",
    run: async (context) => {
      const file = (await context.shared()).file("ä".repeat(513));

      assert.match(await reasonOf(file.save("x", { resumable: false })), /^400/);
    },
  },
];
