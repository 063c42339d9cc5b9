import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "@flotilla/sdk/plugin";
import { objectStoreConfig } from "./config.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { copyTargetConfig } from "./copy-target-config.ts";

const location = {
  bucket: "velero",
  prefix: "cluster",
  storageAccount: "own",
  storageAccountURI: "https://own.blob.core.windows.net",
  storageAccountKeyEnvVar: "OWN_KEY",
  subscriptionId: "own-subscription",
  resourceGroup: "own-group",
  accessTier: "Cool",
  tagging: "a=b",
};

function targetOf(url: string, keys: Readonly<Record<string, string>> = {}): ObjectStoreConfig {
  const config = parseConfig(objectStoreConfig, { ...location, ...keys, copyTo: url });
  const [target] = config.copyTo;
  assert.ok(target !== undefined);
  return copyTargetConfig(config, target);
}

test("a container of the same account is as the location but for its name and prefix", () => {
  const target = targetOf("azblob://velero-copy/dr");

  assert.deepEqual([target.bucket, target.prefix], ["velero-copy", "dr"]);
  assert.deepEqual([target.storageAccount, target.storageAccountKeyEnvVar], ["own", "OWN_KEY"]);
  assert.deepEqual([target.accessTier, target.tagging], ["Cool", { a: "b" }]);
});

test("nothing that only opens the location's account is tried on another one", () => {
  const target = targetOf("azblob://velero?storageAccount=other", { encryptionScope: "own-scope" });

  assert.deepEqual([target.storageAccount, target.prefix], ["other", "cluster"]);
  const { storageAccountURI, storageAccountKeyEnvVar, encryptionScope } = target;
  assert.deepEqual([storageAccountURI, storageAccountKeyEnvVar, encryptionScope], [undefined, undefined, undefined]);
  assert.deepEqual([target.subscriptionId, target.resourceGroup], ["own-subscription", "own-group"]);
});

test("with credentials of its own a target has the subscription and the group of these", () => {
  const target = targetOf("azblob://velero?storageAccount=other&credentialsFile=/credentials/other");

  assert.deepEqual(
    [target.credentialsFile, target.subscriptionId, target.resourceGroup],
    ["/credentials/other", undefined, undefined],
  );
});

test("the location's customer-provided key holds for the copies, unless the target says how they are encrypted", () => {
  const keys = { customerKeyEncryptionFile: "/key" };

  assert.equal(targetOf("azblob://x?storageAccount=other", keys).customerKeyEncryptionFile, "/key");
  const scoped = targetOf("azblob://x?storageAccount=other&encryptionScope=vault", keys);
  assert.deepEqual([scoped.encryptionScope, scoped.customerKeyEncryptionFile], ["vault", undefined]);
});

test("a target has no targets of its own", () => {
  assert.deepEqual(targetOf("azblob://x").copyTo, []);
});
