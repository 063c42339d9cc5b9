import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";

import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import type { S3Context } from "./context.ts";

interface CustomerKey {
  readonly SSECustomerAlgorithm: string;
  readonly SSECustomerKey: string;
  readonly SSECustomerKeyMD5: string;
}

function customerKey(): CustomerKey {
  const key = randomBytes(32);
  return {
    SSECustomerAlgorithm: "AES256",
    SSECustomerKey: key.toString("base64"),
    SSECustomerKeyMD5: createHash("md5").update(key).digest("base64"),
  };
}

const soon = (): Date => new Date(Date.now() + 3_600_000);

/** Tags, versions, locks and encryption. */
export const protectionProbes: readonly Probe<S3Context>[] = [
  {
    name: "tags of a put come back",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "x", Tagging: "one=1&two=a%20b" });

      const { TagSet = [] } = await s3.client.send(new GetObjectTaggingCommand({ Bucket: await s3.bucket(), Key }));
      const { TagCount } = await s3.get({ Key });

      assert.deepEqual(Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value])), { one: "1", two: "a b" });
      assert.equal(TagCount, 2);
    },
  },
  {
    name: "eleven tags are refused",
    run: async (s3) => {
      const Tagging = Array.from({ length: 11 }, (_, i) => `k${i}=v`).join("&");

      await expectFailure(s3.put({ Key: s3.key(), Body: "x", Tagging }), ["BadRequest", "InvalidTag"], 400);
    },
  },
  {
    name: "tags are replaced and removed",
    run: async (s3) => {
      const Bucket = await s3.bucket();
      const Key = s3.key();
      await s3.put({ Key, Body: "x", Tagging: "old=1" });
      const read = async (): Promise<unknown> =>
        (await s3.client.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet ?? [];

      const Tagging = { TagSet: [{ Key: "new", Value: "2" }] };
      await s3.client.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging }));
      const replaced = await read();
      await s3.client.send(new DeleteObjectTaggingCommand({ Bucket, Key }));

      assert.deepEqual([replaced, await read()], [Tagging.TagSet, []]);
    },
  },
  {
    name: "versions are kept, hidden by a delete marker, and removed one by one",
    run: async (s3) => {
      const Bucket = await s3.versionedBucket();
      const Key = s3.key();
      const first = await s3.put({ Bucket, Key, Body: "first" });
      const second = await s3.put({ Bucket, Key, Body: "second" });
      assert.notEqual(first.VersionId, second.VersionId);

      const marker = await s3.client.send(new DeleteObjectCommand({ Bucket, Key }));
      await expectFailure(s3.get({ Bucket, Key }), "NoSuchKey", 404);
      const old = await s3.get({ Bucket, Key, VersionId: first.VersionId });
      const listed = await s3.client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
      await s3.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId: marker.VersionId }));
      const current = await s3.get({ Bucket, Key });

      assert.equal(marker.DeleteMarker, true);
      assert.deepEqual([old.bytes.toString(), current.bytes.toString()], ["first", "second"]);
      assert.deepEqual(
        listed.Versions?.map((version) => version.VersionId),
        [second.VersionId, first.VersionId],
      );
      assert.equal(listed.DeleteMarkers?.[0]?.VersionId, marker.VersionId);
    },
  },
  {
    name: "retention keeps a version from being deleted",
    run: async (s3) => {
      const Bucket = await s3.lockBucket();
      const Key = s3.key();
      const lock = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: soon() } as const;
      const { VersionId } = await s3.put({ Bucket, Key, Body: "x", ...lock });

      await expectFailure(s3.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId })), "AccessDenied", 403);

      const { Retention } = await s3.client.send(new GetObjectRetentionCommand({ Bucket, Key }));
      assert.equal(Retention?.Mode, "GOVERNANCE");
      const bypass = { BypassGovernanceRetention: true };
      await s3.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, ...bypass }));
    },
  },
  {
    name: "compliance retention cannot be shortened or bypassed",
    run: async (s3) => {
      const Bucket = await s3.lockBucket();
      const Key = s3.key();
      // Short, so that a target of long life can be cleaned.
      const until = new Date(Date.now() + 60_000);
      const { VersionId } = await s3.put({
        Bucket,
        Key,
        Body: "x",
        ObjectLockMode: "COMPLIANCE",
        ObjectLockRetainUntilDate: until,
      });
      const earlier = { Mode: "COMPLIANCE", RetainUntilDate: new Date(Date.now() + 30_000) } as const;
      const bypass = { BypassGovernanceRetention: true };

      const shortened = s3.client.send(new PutObjectRetentionCommand({ Bucket, Key, Retention: earlier, ...bypass }));
      await expectFailure(shortened, "AccessDenied", 403);

      const deleted = s3.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, ...bypass }));
      await expectFailure(deleted, "AccessDenied", 403);
    },
  },
  {
    name: "a legal hold keeps a version from being deleted until it is lifted",
    run: async (s3) => {
      const Bucket = await s3.lockBucket();
      const Key = s3.key();
      const { VersionId } = await s3.put({ Bucket, Key, Body: "x", ObjectLockLegalHoldStatus: "ON" });

      await expectFailure(s3.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId })), "AccessDenied", 403);

      const { LegalHold } = await s3.client.send(new GetObjectLegalHoldCommand({ Bucket, Key }));
      assert.equal(LegalHold?.Status, "ON");
      await s3.client.send(new PutObjectLegalHoldCommand({ Bucket, Key, LegalHold: { Status: "OFF" } }));
      await s3.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    },
  },
  {
    name: "a lock header on a bucket without locks is refused",
    run: async (s3) => {
      const lock = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: soon() } as const;

      await expectFailure(s3.put({ Key: s3.key(), Body: "x", ...lock }), "InvalidRequest", 400);
    },
  },
  {
    name: "SSE-S3 is said in the answers",
    run: async (s3) => {
      const Key = s3.key();
      const put = await s3.put({ Key, Body: "x", ServerSideEncryption: "AES256" });

      const { ServerSideEncryption } = await s3.get({ Key });

      assert.deepEqual([put.ServerSideEncryption, ServerSideEncryption], ["AES256", "AES256"]);
    },
  },
  {
    name: "SSE-KMS is said in the answers with its key",
    run: async (s3) => {
      const Key = s3.key();
      const SSEKMSKeyId = `arn:aws:kms:${s3.target.region}:123456789012:key/11111111-2222-3333-4444-555555555555`;
      await s3.put({ Key, Body: "x", ServerSideEncryption: "aws:kms", SSEKMSKeyId });

      const got = await s3.get({ Key });

      assert.deepEqual([got.ServerSideEncryption, got.SSEKMSKeyId], ["aws:kms", SSEKMSKeyId]);
    },
  },
  {
    name: "an unknown encryption is refused",
    run: async (s3) => {
      // Not one that the SDK knows, which is the point.
      const ServerSideEncryption = "ROT13" as "AES256";

      const put = s3.put({ Key: s3.key(), Body: "x", ServerSideEncryption });

      await expectFailure(put, ["InvalidEncryptionAlgorithmError", "InvalidArgument"], 400);
    },
  },
  {
    name: "an SSE-C object is read with its key",
    run: async (s3) => {
      const Key = s3.key();
      const key = customerKey();
      const put = await s3.put({ Key, Body: "secret", ...key });

      const got = await s3.get({ Key, ...key });

      assert.equal(got.bytes.toString(), "secret");
      assert.equal(put.SSECustomerKeyMD5, key.SSECustomerKeyMD5);
      assert.equal(got.SSECustomerAlgorithm, "AES256");
    },
  },
  {
    name: "an SSE-C object is not read without a key",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "secret", ...customerKey() });

      await expectFailure(s3.get({ Key }), "InvalidRequest", 400);
    },
  },
  {
    name: "an SSE-C object is not read with another key",
    run: async (s3) => {
      const Key = s3.key();
      await s3.put({ Key, Body: "secret", ...customerKey() });

      await expectFailure(s3.get({ Key, ...customerKey() }), ["AccessDenied", "InvalidRequest"]);
    },
  },
  {
    name: "an SSE-C object is copied with the key of its source",
    run: async (s3) => {
      const Bucket = await s3.bucket();
      const [from, to] = [s3.key(), s3.key()];
      const key = customerKey();
      await s3.put({ Key: from, Body: "secret", ...key });
      const source = {
        CopySource: `${Bucket}/${from}`,
        CopySourceSSECustomerAlgorithm: key.SSECustomerAlgorithm,
        CopySourceSSECustomerKey: key.SSECustomerKey,
        CopySourceSSECustomerKeyMD5: key.SSECustomerKeyMD5,
      };

      await s3.client.send(new CopyObjectCommand({ Bucket, Key: to, ...source }));

      assert.equal((await s3.get({ Key: to })).bytes.toString(), "secret");
    },
  },
];
