import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, parseConfig } from "@flotilla/sdk/plugin";
import { objectStoreConfig, volumeSnapshotterConfig } from "./config.ts";

const bucket = { bucket: "b", prefix: "" };

function refusal(pattern: RegExp): (error: unknown) => boolean {
  return (error) => isKind(error, "invalid-config") && pattern.test(error.message);
}

test("every official key of a BackupStorageLocation is accepted together", () => {
  const config = parseConfig(objectStoreConfig, {
    ...bucket,
    region: "eu-west-1",
    s3Url: "https://store.example",
    publicUrl: "https://public.example",
    s3ForcePathStyle: "True",
    signatureVersion: "4",
    credentialsFile: "/credentials/cloud",
    profile: "p",
    enableSharedConfig: "true",
    serverSideEncryption: "AES256",
    insecureSkipTLSVerify: "0",
    tagging: "a=b",
    checksumAlgorithm: "SHA256",
    caCert: "PEM",
    resticRepoPrefix: "s3:https://store.example/b",
    kmsKeyId: "alias/k",
  });

  assert.equal(config.s3ForcePathStyle, true);
  assert.equal(config.insecureSkipTLSVerify, false);
  assert.equal(config.checksumAlgorithm, "sha256");
});

test("an absent checksumAlgorithm means CRC32, an empty one Content-MD5", () => {
  assert.equal(parseConfig(objectStoreConfig, bucket).checksumAlgorithm, "crc32");
  assert.equal(parseConfig(objectStoreConfig, { ...bucket, checksumAlgorithm: "" }).checksumAlgorithm, "md5");
});

for (const word of ["MD5", "SHA512", "XXHASH3", "crc32", "CRC"])
  test(`checksumAlgorithm ${word} is refused with the supported words`, () => {
    assert.throws(
      () => parseConfig(objectStoreConfig, { ...bucket, checksumAlgorithm: word }),
      refusal(/checksumAlgorithm: .*CRC32, CRC32C, CRC64NVME, SHA1, SHA256/),
    );
  });

test("two encryption keys exclude each other", () => {
  const both = { ...bucket, kmsKeyId: "k", customerKeyEncryptionFile: "/key" };

  assert.throws(() => parseConfig(objectStoreConfig, both), refusal(/kmsKeyId and customerKeyEncryptionFile/));
});

for (const value of ["name", "name/", "/key", "a/b/c"])
  test(`customerKeyEncryptionSecret "${value}" is refused`, () => {
    const config = { ...bucket, customerKeyEncryptionSecret: value };

    assert.throws(() => parseConfig(objectStoreConfig, config), refusal(/customerKeyEncryptionSecret: .*secret\/key/));
  });

test("a scheme other than http and https is refused", () => {
  assert.throws(() => parseConfig(objectStoreConfig, { ...bucket, s3Url: "s3://b" }), refusal(/s3Url/));
});

const taggings: readonly (readonly [text: string, header: string])[] = [
  ["Team=ops", "Team=ops"],
  ["a=1&b=2", "a=1&b=2"],
  ["a=", "a="],
  ["a=x%20y&b=1+2", "a=x%20y&b=1+2"],
  ["größe=ü", "gr%C3%B6%C3%9Fe=%C3%BC"],
  [`k=${"v".repeat(256)}`, `k=${"v".repeat(256)}`],
  [`${"k".repeat(128)}=v`, `${"k".repeat(128)}=v`],
];

for (const [text, header] of taggings)
  test(`tagging "${text.slice(0, 20)}" is sent as it can be in a header`, () => {
    assert.equal(parseConfig(objectStoreConfig, { ...bucket, tagging: text }).tagging, header);
  });

const wrongTaggings = [
  "a",
  "=b",
  "a=b&",
  "a=b=c",
  "a=1&a=2",
  `k=${"v".repeat(257)}`,
  `${"k".repeat(129)}=v`,
  Array.from({ length: 11 }, (_, index) => `k${index}=v`).join("&"),
];

for (const text of wrongTaggings)
  test(`tagging "${text.slice(0, 20)}" is refused`, () => {
    assert.throws(() => parseConfig(objectStoreConfig, { ...bucket, tagging: text }), refusal(/tagging/));
  });

test("an access point can be the bucket, a Multi-Region Access Point is refused", () => {
  const bucket = "arn:aws:s3:eu-west-1:123456789012:accesspoint:backups";
  assert.equal(parseConfig(objectStoreConfig, { bucket }).bucket, bucket);
  assert.throws(
    () => parseConfig(objectStoreConfig, { bucket: "arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap" }),
    refusal(/bucket: a Multi-Region Access Point is not supported/),
  );
});

test("a memory limit below 16Mi is refused", () => {
  assert.throws(() => parseConfig(objectStoreConfig, { ...bucket, memoryLimit: "15Mi" }), refusal(/16Mi/));
  assert.equal(parseConfig(objectStoreConfig, { ...bucket, memoryLimit: "16Mi" }).memoryLimit, 16 * 1024 ** 2);
});

test("a VolumeSnapshotLocation without region is refused", () => {
  assert.throws(() => parseConfig(volumeSnapshotterConfig, {}), refusal(/region is missing/));
});

test("a VolumeSnapshotLocation does not wait unless told", () => {
  const config = parseConfig(volumeSnapshotterConfig, { region: "r", enableSharedConfig: "x" });

  assert.equal(config.wait, "none");
  assert.equal(parseConfig(volumeSnapshotterConfig, { region: "r", wait: "completed" }).wait, "completed");
});
