import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";

import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import type { S3Context } from "./context.ts";

const streamed = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;

/** Putting and reading whole objects, with their checksums. */
export const objectProbes: readonly Probe<S3Context>[] = [
  {
    name: "a buffer comes back as it was put",
    run: async (s3) => {
      const Key = s3.key();
      const Body = randomBytes(70_000);
      const { ETag } = await s3.put({ Key, Body });

      const { bytes } = await s3.get({ Key });

      assert.deepEqual(bytes, Body);
      assert.equal(ETag, `"${createHash("md5").update(Body).digest("hex")}"`);
    },
  },
  {
    name: "an empty object comes back empty",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "" });

      const { bytes, ContentLength } = await s3.get({ Key });

      assert.deepEqual([bytes.length, ContentLength], [0, 0]);
    },
  },
  {
    name: "GET returns the CRC32 with checksum mode",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "123456789" });

      const { ChecksumCRC32, ChecksumType } = await s3.get({ Key, ChecksumMode: "ENABLED" });

      assert.equal(ChecksumCRC32, "y/Q5Jg==");
      assert.equal(ChecksumType, "FULL_OBJECT");
    },
  },
  {
    name: "HEAD returns the CRC32 with checksum mode",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "123456789" });
      const input = { Bucket: await s3.bucket(), Key, ChecksumMode: "ENABLED" } as const;

      const { ChecksumCRC32 } = await s3.client.send(new HeadObjectCommand(input));

      assert.equal(ChecksumCRC32, "y/Q5Jg==");
    },
  },
  {
    name: "HEAD returns no checksum without checksum mode",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "123456789" });

      const { ChecksumCRC32 } = await s3.client.send(new HeadObjectCommand({ Bucket: await s3.bucket(), Key }));

      assert.equal(ChecksumCRC32, undefined);
    },
  },
  {
    name: "an object put without a checksum gets CRC64NVME from the store",
    run: async (s3) => {
      const Key = s3.key();
      const client = s3.newClient({ requestChecksumCalculation: "WHEN_REQUIRED" });
      await client.send(new PutObjectCommand({ Bucket: await s3.bucket(), Key, Body: "123456789" }));

      const { ChecksumCRC64NVME } = await s3.get({ Key, ChecksumMode: "ENABLED" });

      assert.equal(ChecksumCRC64NVME, "rosUhgp5mIg=");
    },
  },
  ...streamed.map((algorithm): Probe<S3Context> => ({
    name: `a stream with a trailing ${algorithm} is stored without its framing`,
    run: async (s3) => {
      const Key = s3.key();
      const Body = randomBytes(200_000);
      const put = await s3.put({
        Key,
        Body: Readable.from([Body]),
        ContentLength: Body.length,
        ChecksumAlgorithm: algorithm,
      });

      const got = await s3.get({ Key, ChecksumMode: "ENABLED" });

      const field = `Checksum${algorithm}` as const;
      assert.deepEqual(got.bytes, Body);
      assert.notEqual(put[field], undefined);
      assert.equal(got[field], put[field]);
      assert.equal(got.ContentEncoding, undefined);
    },
  })),
  {
    name: "a wrong checksum is refused and leaves nothing",
    run: async (s3) => {
      const Key = s3.key();

      await expectFailure(s3.put({ Key, Body: "other bytes", ChecksumCRC32: "y/Q5Jg==" }), "BadDigest", 400);

      await expectFailure(s3.get({ Key }), "NoSuchKey");
    },
  },
  {
    name: "a wrong Content-MD5 is refused",
    run: async (s3) => {
      const ContentMD5 = createHash("md5").update("something else").digest("base64");

      await expectFailure(s3.put({ Key: s3.key(), Body: "bytes", ContentMD5 }), "BadDigest", 400);
    },
  },
  {
    name: "metadata, content headers and storage class come back",
    run: async (s3) => {
      const Key = s3.key();
      const Metadata = { "some-name": "some value", other: "2" };
      const headers = { ContentType: "text/x-probe", CacheControl: "no-store", ContentEncoding: "gzip" };
      await s3.put({ Key, Body: "x", Metadata, StorageClass: "STANDARD_IA", ...headers });

      const head = await s3.client.send(new HeadObjectCommand({ Bucket: await s3.bucket(), Key }));

      assert.deepEqual(head.Metadata, Metadata);
      assert.equal(head.StorageClass, "STANDARD_IA");
      const { ContentType, CacheControl, ContentEncoding } = head;
      assert.deepEqual({ ContentType, CacheControl, ContentEncoding }, headers);
    },
  },
  {
    name: "an unknown storage class is refused",
    run: async (s3) => {
      // Not a class that the SDK knows, which is the point.
      const StorageClass = "LUKEWARM" as "STANDARD";

      await expectFailure(s3.put({ Key: s3.key(), Body: "x", StorageClass }), "InvalidStorageClass", 400);
    },
  },
  {
    name: "a key of more than 1024 bytes is refused",
    run: async (s3) => {
      await s3.put({ Key: s3.key("k".repeat(1000)).slice(0, 1024), Body: "x" });

      await expectFailure(s3.put({ Key: "k".repeat(1025), Body: "x" }), "KeyTooLongError", 400);
    },
  },
  {
    name: "deleting a missing key succeeds",
    run: async (s3) => {
      await s3.client.send(new DeleteObjectCommand({ Bucket: await s3.bucket(), Key: s3.key() }));
    },
  },
];
