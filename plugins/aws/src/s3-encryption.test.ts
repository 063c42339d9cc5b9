import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isKind, parseConfig } from "@flotilla/sdk/plugin";
import { objectStoreConfig } from "./config.ts";
import { openEncryption } from "./s3-encryption.ts";
import type { S3Encryption } from "./s3-encryption.ts";
import { contextWith } from "./testing/call.ts";

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "encryption-"));
});

after(async () => {
  await rm(folder, { recursive: true });
});

async function open(keys: Readonly<Record<string, string>>): Promise<S3Encryption> {
  return await openEncryption(parseConfig(objectStoreConfig, { bucket: "b", ...keys }), contextWith());
}

async function openFile(bytes: Buffer): Promise<S3Encryption> {
  const path = join(folder, `key-${bytes.byteLength}`);
  await writeFile(path, bytes);
  return await open({ customerKeyEncryptionFile: path });
}

test("a key file shorter than a key is refused", async () => {
  await assert.rejects(
    openFile(randomBytes(31)),
    (error) => isKind(error, "invalid-config") && /31 bytes/.test(error.message),
  );
});

test("a missing key file is named", async () => {
  await assert.rejects(
    open({ customerKeyEncryptionFile: "/absent/key" }),
    (error) => isKind(error, "invalid-config") && error.message.includes("/absent/key"),
  );
});

test("a key file of 32 bytes is the key", async () => {
  const key = randomBytes(32);

  const { customerKey, newObject, isKeyFileTooLong } = await openFile(key);

  assert.deepEqual(customerKey, { SSECustomerAlgorithm: "AES256", SSECustomerKey: key.toString("base64") });
  assert.deepEqual(newObject, customerKey);
  assert.equal(isKeyFileTooLong, false);
});

test("of a longer key file the first 32 bytes are the key, as in the official plugin", async () => {
  const bytes = randomBytes(33);

  const { customerKey, isKeyFileTooLong } = await openFile(bytes);

  assert.equal(customerKey.SSECustomerKey, bytes.subarray(0, 32).toString("base64"));
  assert.equal(isKeyFileTooLong, true);
});

test("a KMS key means aws:kms, whatever else is asked for", async () => {
  const { newObject } = await open({ kmsKeyId: "alias/k", serverSideEncryption: "AES256" });

  assert.deepEqual(newObject, { ServerSideEncryption: "aws:kms", SSEKMSKeyId: "alias/k" });
});

test("without a KMS key the words of serverSideEncryption are passed on", async () => {
  assert.deepEqual((await open({ serverSideEncryption: "aws:kms:dsse" })).newObject, {
    ServerSideEncryption: "aws:kms:dsse",
  });
  assert.deepEqual((await open({})).newObject, {});
});

test("a Secret outside of a cluster cannot be read", async () => {
  await assert.rejects(
    open({ customerKeyEncryptionSecret: "s/k" }),
    (error) => isKind(error, "invalid-config") && error.message.includes("VELERO_NAMESPACE"),
  );
});
