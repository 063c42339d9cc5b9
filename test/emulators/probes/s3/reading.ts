import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

import { expectFailure, failureOf } from "../probe.ts";
import type { Probe } from "../probe.ts";
import type { S3Context } from "./context.ts";

const oddKeys = ["a b", "a+b", "a%20b", "ümläut", "日本", "emoji-\u{1f600}", "q?&=#", "quote'\"<>", "tilde~!*()"];

async function presign(s3: S3Context, Key: string, expiresIn: number, signingDate = new Date()): Promise<string> {
  const command = new GetObjectCommand({ Bucket: await s3.bucket(), Key });
  return await getSignedUrl(s3.client, command, { expiresIn, signingDate });
}

/** Ranges, conditions, copies, signed URLs and listings. */
export const readingProbes: readonly Probe<S3Context>[] = [
  {
    name: "a range returns its bytes",
    run: async (s3) => {
      const Key = s3.key();
      const Body = randomBytes(1000);
      await s3.put({ Key, Body });

      const middle = await s3.get({ Key, Range: "bytes=10-19" });
      const end = await s3.get({ Key, Range: "bytes=-7" });
      const rest = await s3.get({ Key, Range: "bytes=990-5000" });

      assert.deepEqual(middle.bytes, Body.subarray(10, 20));
      assert.equal(middle.ContentRange, "bytes 10-19/1000");
      assert.deepEqual(end.bytes, Body.subarray(993));
      assert.deepEqual(rest.bytes, Body.subarray(990));
    },
  },
  {
    name: "a range behind the end is refused",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "short" });

      await expectFailure(s3.get({ Key, Range: "bytes=5-9" }), "InvalidRange", 416);
    },
  },
  {
    name: "If-None-Match of a put refuses to overwrite",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "first", IfNoneMatch: "*" });

      await expectFailure(s3.put({ Key, Body: "second", IfNoneMatch: "*" }), "PreconditionFailed", 412);

      assert.equal((await s3.get({ Key })).bytes.toString(), "first");
    },
  },
  {
    name: "If-Match of a put refuses another version",
    run: async (s3) => {
      const Key = s3.key();
      const { ETag } = await s3.put({ Key, Body: "first" });

      await expectFailure(s3.put({ Key, Body: "second", IfMatch: '"0123"' }), "PreconditionFailed", 412);

      await s3.put({ Key, Body: "second", IfMatch: ETag });
    },
  },
  {
    name: "If-Match of a get refuses another version",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "x" });

      await expectFailure(s3.get({ Key, IfMatch: '"0123"' }), "PreconditionFailed", 412);
    },
  },
  {
    name: "If-None-Match of a get says not modified",
    run: async (s3) => {
      const Key = s3.key();
      const { ETag } = await s3.put({ Key, Body: "x" });

      assert.equal((await failureOf(s3.get({ Key, IfNoneMatch: ETag }))).status, 304);
    },
  },
  {
    name: "a copy to another bucket keeps bytes and metadata",
    run: async (s3) => {
      const Key = s3.key(" with space+plus");
      const Body = randomBytes(5000);
      await s3.put({ Key, Body, Metadata: { kept: "yes" } });
      const Bucket = await s3.secondBucket();
      const CopySource = `${await s3.bucket()}/${encodeURIComponent(Key)}`;

      await s3.client.send(new CopyObjectCommand({ Bucket, Key, CopySource }));

      const { bytes, Metadata } = await s3.get({ Bucket, Key });
      assert.deepEqual([bytes, Metadata], [Body, { kept: "yes" }]);
    },
  },
  {
    name: "a copy onto itself without a change is refused",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "x" });
      const Bucket = await s3.bucket();

      const copy = s3.client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${Key}` }));

      await expectFailure(copy, "InvalidRequest", 400);
    },
  },
  {
    name: "a signed URL is good without credentials",
    run: async (s3) => {
      const Key = s3.key(" ü+%.txt");
      await s3.put({ Key, Body: "signed" });

      const response = await fetch(await presign(s3, Key, 60));

      assert.deepEqual([response.status, await response.text()], [200, "signed"]);
    },
  },
  {
    name: "an expired signed URL is refused",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "signed" });

      const response = await fetch(await presign(s3, Key, 60, new Date(Date.now() - 120_000)));

      assert.equal(response.status, 403);
    },
  },
  {
    name: "a signed URL for another key is refused",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key: `${Key}b`, Body: "signed" });
      const url = await presign(s3, Key, 60);

      const response = await fetch(url.replace(Key, `${Key}b`));

      assert.equal(response.status, 403);
    },
  },
  {
    name: "1200 keys are listed over pages, in order",
    run: async (s3) => {
      const Bucket = await s3.newBucket();
      const keys = Array.from({ length: 1200 }, (_, i) => `k/${String(i).padStart(5, "0")}`);
      for (let i = 0; i < keys.length; i += 40) {
        await Promise.all(keys.slice(i, i + 40).map((Key) => s3.put({ Bucket, Key, Body: "x" })));
      }

      const first = await s3.client.send(new ListObjectsV2Command({ Bucket }));
      const next = { Bucket, ContinuationToken: first.NextContinuationToken };
      const second = await s3.client.send(new ListObjectsV2Command(next));

      const found = [...(first.Contents ?? []), ...(second.Contents ?? [])].map((one) => one.Key);
      assert.deepEqual(found, keys);
      assert.deepEqual([first.KeyCount, first.IsTruncated, second.IsTruncated], [1000, true, false]);
    },
  },
  {
    name: "a delimiter groups keys under common prefixes, over pages too",
    run: async (s3) => {
      const Bucket = await s3.newBucket();
      for (const Key of ["a/1", "a/2", "b", "c/1", "c/d/1", "e"]) await s3.put({ Bucket, Key, Body: "x" });
      const names: (string | undefined)[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = { Bucket, Delimiter: "/", MaxKeys: 1, ContinuationToken };
        const output = await s3.client.send(new ListObjectsV2Command(page));
        names.push(...(output.Contents ?? []).map((one) => one.Key));
        names.push(...(output.CommonPrefixes ?? []).map((one) => one.Prefix));
        ContinuationToken = output.NextContinuationToken;
      } while (ContinuationToken !== undefined && names.length < 10);

      const below = await s3.client.send(new ListObjectsV2Command({ Bucket, Prefix: "c/", Delimiter: "/" }));

      assert.deepEqual(names, ["a/", "b", "c/", "e"]);
      assert.deepEqual([below.Contents?.[0]?.Key, below.CommonPrefixes?.[0]?.Prefix], ["c/1", "c/d/"]);
    },
  },
  {
    name: "the first version of the listing pages by marker",
    run: async (s3) => {
      const Bucket = await s3.newBucket();
      for (const Key of ["a", "b", "c"]) await s3.put({ Bucket, Key, Body: "x" });

      const first = await s3.client.send(new ListObjectsCommand({ Bucket, MaxKeys: 2 }));
      const second = await s3.client.send(new ListObjectsCommand({ Bucket, Marker: "b" }));

      assert.deepEqual([first.Contents?.map((one) => one.Key), first.IsTruncated], [["a", "b"], true]);
      assert.deepEqual([second.Contents?.map((one) => one.Key), second.IsTruncated], [["c"], false]);
    },
  },
  {
    name: "dots and empty names between slashes are part of a key",
    run: async (s3) => {
      const Bucket = await s3.newBucket();
      const keys = ["a//b", "a/./b", "a/b", "dir/"];
      for (const Key of keys) await s3.put({ Bucket, Key, Body: Key });

      const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket }));

      assert.deepEqual(
        Contents.map((one) => one.Key),
        ["a/./b", "a//b", "a/b", "dir/"],
      );
      for (const Key of keys) assert.equal((await s3.get({ Bucket, Key })).bytes.toString(), Key);
    },
  },
  {
    name: "odd keys are stored, listed in byte order and read",
    run: async (s3) => {
      const Bucket = await s3.newBucket();
      for (const Key of oddKeys) await s3.put({ Bucket, Key, Body: Key });

      const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket }));
      const encoded = await s3.client.send(new ListObjectsV2Command({ Bucket, EncodingType: "url" }));

      const sorted = oddKeys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(
        Contents.map((one) => one.Key),
        sorted,
      );
      assert.deepEqual(
        encoded.Contents?.map((one) => decodeURIComponent((one.Key ?? "").replaceAll("+", " "))),
        sorted,
      );
      for (const Key of oddKeys) assert.equal((await s3.get({ Bucket, Key })).bytes.toString(), Key);
    },
  },
  {
    name: "a batch deletes its keys, also one that is missing",
    run: async (s3) => {
      const Bucket = await s3.newBucket();
      for (const Key of ["1", "2 &<>", "3"]) await s3.put({ Bucket, Key, Body: "x" });
      const Objects = ["1", "2 &<>", "missing"].map((Key) => ({ Key }));

      const { Deleted = [], Errors = [] } = await s3.client.send(
        new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
      );

      const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket }));
      assert.deepEqual([Deleted.length, Errors.length, Contents.map((one) => one.Key)], [3, 0, ["3"]]);
    },
  },
  {
    name: "a missing bucket is NoSuchBucket",
    run: async (s3) => {
      const missing = s3.key();

      await expectFailure(s3.get({ Bucket: missing, Key: "x" }), "NoSuchBucket", 404);
      await expectFailure(s3.put({ Bucket: missing, Key: "x", Body: "x" }), "NoSuchBucket", 404);
      await expectFailure(s3.client.send(new ListObjectsV2Command({ Bucket: missing })), "NoSuchBucket", 404);
    },
  },
  {
    name: "a missing key is NoSuchKey",
    run: async (s3) => await expectFailure(s3.get({ Key: s3.key() }), "NoSuchKey", 404),
  },
  {
    name: "HEAD of a missing key is NotFound",
    run: async (s3) => {
      const head = s3.client.send(new HeadObjectCommand({ Bucket: await s3.bucket(), Key: s3.key() }));

      await expectFailure(head, "NotFound", 404);
    },
  },
];
