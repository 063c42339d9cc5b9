import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketArn, objectsArn, partitionOf } from "./aws-arns.ts";

for (const [region, partition] of [
  ["eu-west-1", "aws"],
  ["", "aws"],
  ["cn-north-1", "aws-cn"],
  ["us-gov-west-1", "aws-us-gov"],
  ["eusc-de-east-1", "aws-eusc"],
  ["us-iso-east-1", "aws-iso"],
  ["us-isob-east-1", "aws-iso-b"],
] as const)
  test(`the region "${region}" belongs to the partition ${partition}`, () => {
    assert.equal(partitionOf(region), partition);
  });

test("a bucket and its objects are named by its partition", () => {
  assert.equal(bucketArn("b", "aws-cn"), "arn:aws-cn:s3:::b");
  assert.equal(objectsArn("b", "", "aws"), "arn:aws:s3:::b/*");
  assert.equal(objectsArn("b", "p/q", "aws"), "arn:aws:s3:::b/p/q/*");
});

test("an access point and its objects are named as IAM names them", () => {
  const bucket = "arn:aws:s3:eu-west-1:123456789012:accesspoint:a";

  assert.equal(bucketArn(bucket, "aws"), "arn:aws:s3:eu-west-1:123456789012:accesspoint/a");
  assert.equal(objectsArn(bucket, "p", "aws"), "arn:aws:s3:eu-west-1:123456789012:accesspoint/a/object/p/*");
});
