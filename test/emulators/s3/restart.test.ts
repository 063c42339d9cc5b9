import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

import { failureOf } from "../probes/probe.ts";
import { S3Context } from "../probes/s3/context.ts";
import { startS3 } from "./start-s3.ts";

const account = { accessKeyId: "AKIARESTART", secretAccessKey: "restart-secret" };
const Bucket = "kept";
const partBytes = 5 * 1024 ** 2;

interface Store {
  readonly folder: string;
  /** Starts the stand-in on the folder, uses it, and ends it. */
  run<T>(use: (s3: S3Context) => Promise<T>): Promise<T>;
}

async function newStore(t: TestContext): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "s3-restart-"));
  t.after(() => rm(folder, { recursive: true }));
  return {
    folder,
    run: async (use) => {
      const server = await startS3({ stateDir: folder, accounts: [account], buckets: [Bucket] });
      const regions = { region: "us-east-1", otherRegion: "eu-west-1" };
      const context = new S3Context({ endpoint: server.url, ...account, ...regions });
      try {
        return await use(context);
      } finally {
        context.close();
        await server.close();
      }
    },
  };
}

function objectFolder(store: Store, key: string): string {
  return join(store.folder, "s3", Bucket, createHash("sha256").update(key).digest("hex"));
}

describe("the state of the S3 stand-in", { concurrency: true }, () => {
  test("an object with its attributes is there after a restart", async (t) => {
    const store = await newStore(t);
    const Body = randomBytes(1000);
    const put = await store.run((s3) => s3.put({ Bucket, Key: "a/b", Body, Metadata: { m: "1" }, Tagging: "t=1" }));

    const got = await store.run((s3) => s3.get({ Bucket, Key: "a/b", ChecksumMode: "ENABLED" }));

    assert.deepEqual([got.bytes, got.Metadata, got.TagCount], [Body, { m: "1" }, 1]);
    assert.deepEqual([got.ETag, got.ChecksumCRC32], [put.ETag, put.ChecksumCRC32]);
  });

  test("a bit that was flipped on disk is served with the checksum as it was", async (t) => {
    const store = await newStore(t);
    await store.run(async (s3) => {
      const Key = "rotten";
      const put = await s3.put({ Bucket, Key, Body: Buffer.alloc(1000, 7) });
      const path = join(objectFolder(store, Key), "data");
      const data = await readFile(path);
      data.writeUInt8(6, 500);
      await writeFile(path, data);

      const raw = await failureOf(s3.get({ Bucket, Key, ChecksumMode: "ENABLED" }));
      const part = await s3.get({ Bucket, Key, Range: "bytes=500-500" });

      assert.deepEqual([raw.code, part.bytes, part.ETag], ["Error", Buffer.from([6]), put.ETag]);
    });
  });

  test("an object that is replaced or deleted leaves no files", async (t) => {
    const store = await newStore(t);
    await store.run(async (s3) => {
      for (const Body of ["one", "two"]) await s3.put({ Bucket, Key: "k", Body });
      assert.deepEqual((await readdir(objectFolder(store, "k"))).sort(), ["data", "meta.json"]);

      await s3.client.send(new DeleteObjectCommand({ Bucket, Key: "k" }));

      const left = async (): Promise<string> => {
        const folders = [join("s3", Bucket), join("s3.versions", Bucket), "s3.uploads", "s3.staging"];
        const names = await Promise.all(folders.map((name) => readdir(join(store.folder, name))));
        return names.flat().join();
      };
      // What is replaced is removed behind the answer.
      for (let i = 0; i < 100 && (await left()) !== ""; i += 1) await delay(20);
      assert.equal(await left(), "");
    });
  });

  test("versions keep their order after a restart", async (t) => {
    const store = await newStore(t);
    const listed = (s3: S3Context): Promise<unknown> =>
      s3.client
        .send(new ListObjectVersionsCommand({ Bucket }))
        .then(({ Versions, DeleteMarkers }) => [Versions?.map((one) => one.VersionId), DeleteMarkers?.[0]?.VersionId]);
    const before = await store.run(async (s3) => {
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await s3.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
      for (const Body of ["one", "two", "three"]) await s3.put({ Bucket, Key: "k", Body });
      await s3.client.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
      return await listed(s3);
    });

    const later = await store.run(async (s3) => [
      await listed(s3),
      (await failureOf(s3.get({ Bucket, Key: "k" }))).code,
    ]);

    assert.deepEqual(later, [before, "NoSuchKey"]);
  });

  test("an upload goes on after a restart", async (t) => {
    const store = await newStore(t);
    const Key = "large";
    const bodies = [randomBytes(partBytes), randomBytes(partBytes), randomBytes(10)];
    const send = (
      s3: S3Context,
      UploadId: string | undefined,
      PartNumber: number,
    ): Promise<{ ETag?: string | undefined }> => {
      const client = s3.newClient({ requestChecksumCalculation: "WHEN_REQUIRED" });
      const Body = bodies[PartNumber - 1] ?? "";
      return client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    };
    const begun = await store.run(async (s3) => {
      const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      return { UploadId, parts: [await send(s3, UploadId, 1), await send(s3, UploadId, 2)] };
    });

    const { bytes } = await store.run(async (s3) => {
      const all = [...begun.parts, await send(s3, begun.UploadId, 3)];
      const Parts = all.map(({ ETag }, index) => ({ ETag, PartNumber: index + 1 }));
      const { UploadId } = begun;
      await s3.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
      return await s3.get({ Bucket, Key });
    });

    assert.deepEqual(bytes, Buffer.concat(bodies));
    assert.deepEqual(await readdir(join(store.folder, "s3.uploads")), []);
  });
});
