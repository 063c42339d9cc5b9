import assert from "node:assert/strict";

import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
} from "@aws-sdk/client-s3";

import { expectFailure, failureOf } from "../probe.ts";
import type { Probe } from "../probe.ts";
import type { S3Context } from "./context.ts";

/** Buckets, regions and credentials. */
export const accessProbes: readonly Probe<S3Context>[] = [
  {
    name: "a bucket is created, listed and deleted",
    run: async (s3) => {
      const Bucket = await s3.newBucket();
      const { Buckets = [] } = await s3.client.send(new ListBucketsCommand({}));

      await s3.client.send(new DeleteBucketCommand({ Bucket }));

      assert.ok(Buckets.some((one) => one.Name === Bucket));
      await expectFailure(s3.client.send(new HeadBucketCommand({ Bucket })), "NotFound", 404);
    },
  },
  {
    name: "a bucket that is not empty is not deleted",
    run: async (s3) => {
      const Bucket = await s3.newBucket();
      await s3.put({ Bucket, Key: "x", Body: "x" });

      await expectFailure(s3.client.send(new DeleteBucketCommand({ Bucket })), "BucketNotEmpty", 409);
    },
  },
  {
    name: "a bad bucket name is refused",
    run: async (s3) => {
      await expectFailure(s3.client.send(new CreateBucketCommand({ Bucket: "UPPER_case" })), "InvalidBucketName", 400);
    },
  },
  {
    name: "a bucket is created in another region and says so",
    run: async (s3) => {
      const Bucket = await s3.distantBucket();
      const client = s3.newClient({ region: s3.target.otherRegion });

      const { LocationConstraint } = await client.send(new GetBucketLocationCommand({ Bucket }));
      const { BucketRegion } = await client.send(new HeadBucketCommand({ Bucket }));

      assert.deepEqual([LocationConstraint, BucketRegion], [s3.target.otherRegion, s3.target.otherRegion]);
    },
  },
  {
    name: "a request signed for the wrong region is told the right one",
    run: async (s3) => {
      const Bucket = await s3.distantBucket();

      const { status, code } = await failureOf(s3.client.send(new ListObjectsV2Command({ Bucket })));

      assert.ok(status === 301 || status === 400, `got ${status} ${code}`);
    },
  },
  {
    name: "the SDK finds a bucket of another region by the redirect",
    run: async (s3) => {
      const Bucket = await s3.distantBucket();
      const client = s3.newClient({ followRegionRedirects: true, maxAttempts: 3 });

      const { KeyCount } = await client.send(new ListObjectsV2Command({ Bucket }));

      assert.equal(KeyCount, 0);
    },
  },
  {
    name: "a wrong secret is SignatureDoesNotMatch",
    run: async (s3) => {
      const credentials = { accessKeyId: s3.target.accessKeyId, secretAccessKey: "not-the-secret" };
      const client = s3.newClient({ credentials });

      const list = client.send(new ListObjectsV2Command({ Bucket: await s3.bucket() }));

      await expectFailure(list, "SignatureDoesNotMatch", 403);
    },
  },
  {
    name: "an unknown access key is InvalidAccessKeyId",
    run: async (s3) => {
      const client = s3.newClient({ credentials: { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "x" } });

      const list = client.send(new ListObjectsV2Command({ Bucket: await s3.bucket() }));

      await expectFailure(list, "InvalidAccessKeyId", 403);
    },
  },
  {
    name: "a request without a signature is refused",
    run: async (s3) => {
      const response = await fetch(`${s3.target.endpoint}/${await s3.bucket()}?list-type=2`);

      assert.equal(response.status, 403);
    },
  },
  {
    name: "a clock that is an hour off is RequestTimeTooSkewed",
    run: async (s3) => {
      const client = s3.newClient({ systemClockOffset: -3_600_000 });

      const list = client.send(new ListObjectsV2Command({ Bucket: await s3.bucket() }));

      await expectFailure(list, "RequestTimeTooSkewed", 403);
    },
  },
  {
    name: "tags, lifecycle and policy of a bucket come back",
    run: async (s3) => {
      const Bucket = await s3.newBucket();
      const TagSet = [{ Key: "team", Value: "backup" }];
      const Rules = [
        {
          ID: "one",
          Status: "Enabled",
          Filter: { Prefix: "" },
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 },
        } as const,
      ];
      const Policy = JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Deny", Principal: "*", Action: "s3:PutBucketPolicy", Resource: `arn:aws:s3:::${Bucket}` },
        ],
      });
      await s3.client.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
      await s3.client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
      await s3.client.send(new PutBucketPolicyCommand({ Bucket, Policy }));

      const tagging = await s3.client.send(new GetBucketTaggingCommand({ Bucket }));
      const lifecycle = await s3.client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
      const policy = await s3.client.send(new GetBucketPolicyCommand({ Bucket }));

      assert.deepEqual(tagging.TagSet, TagSet);
      assert.equal(lifecycle.Rules?.[0]?.AbortIncompleteMultipartUpload?.DaysAfterInitiation, 3);
      assert.deepEqual(JSON.parse(policy.Policy ?? ""), JSON.parse(Policy));
    },
  },
];
