import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "@flotilla/sdk/plugin";
import { objectStoreConfig } from "./config.ts";
import { copyConfig } from "./s3-copy-place.ts";

function copyOf(location: Readonly<Record<string, string>>, copyTo: string) {
  const config = parseConfig(objectStoreConfig, { bucket: "b", prefix: "p", ...location, copyTo });
  const [target] = config.copyTo;
  assert.ok(target);
  return copyConfig(config, target);
}

const location = { region: "eu-central-1", profile: "velero", tagging: "a=b", publicUrl: "https://public" };

test("a target that says nothing is as the location, but for the region, which S3 tells", () => {
  const copy = copyOf(location, "s3://c");

  assert.deepEqual([copy.bucket, copy.prefix, copy.region], ["c", "p", undefined]);
  assert.deepEqual([copy.profile, copy.tagging, copy.publicUrl?.host], ["velero", "a=b", "public"]);
  assert.deepEqual(copy.copyTo, []);
});

test("what a target says replaces what the location says", () => {
  const copy = copyOf(location, "s3://c/q?region=eu-west-1&profile=dr&tagging=c%3Dd");

  assert.deepEqual([copy.prefix, copy.region, copy.profile, copy.tagging], ["q", "eu-west-1", "dr", "c=d"]);
});

test("at an endpoint of its own the location's region stays, and its public address does not", () => {
  const copy = copyOf(location, "s3://c?s3Url=https://elsewhere");

  assert.deepEqual([copy.region, copy.publicUrl], ["eu-central-1", undefined]);
});

test("a KMS key stays in its region, a customer's key goes along, and a target's encryption replaces either", () => {
  assert.equal(copyOf({ kmsKeyId: "k" }, "s3://c").kmsKeyId, undefined);
  assert.equal(copyOf({ kmsKeyId: "k" }, "s3://c?kmsKeyId=l").kmsKeyId, "l");
  assert.equal(copyOf({ customerKeyEncryptionFile: "f" }, "s3://c").customerKeyEncryptionFile, "f");
  // The word alone would mean AWS's own key, which no other account can use, and not the bucket's.
  assert.equal(copyOf({ kmsKeyId: "k", serverSideEncryption: "aws:kms" }, "s3://c").serverSideEncryption, undefined);
  assert.equal(copyOf({ serverSideEncryption: "AES256" }, "s3://c").serverSideEncryption, "AES256");
  const own = copyOf({ customerKeyEncryptionFile: "f" }, "s3://c?serverSideEncryption=aws:kms");
  assert.deepEqual([own.customerKeyEncryptionFile, own.serverSideEncryption], [undefined, "aws:kms"]);
});
