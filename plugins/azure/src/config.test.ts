import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, parseConfig } from "@flotilla/sdk/plugin";
import { objectStoreConfig, volumeSnapshotterConfig } from "./config.ts";

const bucket = { bucket: "b" };

function refusal(pattern: RegExp): (error: unknown) => boolean {
  return (error) => isKind(error, "invalid-config") && pattern.test(error.message);
}

test("the official plugin's keys of a BackupStorageLocation are known", () => {
  const config = {
    ...bucket,
    prefix: "p",
    caCert: "PEM",
    credentialsFile: "/credentials/cloud",
    storageAccount: "account",
    storageAccountURI: "https://account.blob.core.windows.net",
    resourceGroup: "group",
    subscriptionId: "subscription",
    storageAccountKeyEnvVar: "LINE",
    useAAD: "TRUE",
    activeDirectoryAuthorityURI: "https://login.microsoftonline.us/",
    blockSizeInBytes: "1048576",
  };

  const parsed = parseConfig(objectStoreConfig, config);

  assert.equal(parsed.useAAD, true);
  assert.deepEqual(parsed.blockSizeInBytes, { bytes: 1_048_576, fault: undefined });
});

for (const [value, bytes] of [
  ["1", 1],
  ["104857600", 104_857_600],
  ["104857601", 104_857_600],
  ["0", undefined],
  ["-1", undefined],
  ["1Mi", undefined],
  ["1.5", undefined],
] as const) {
  test(`blockSizeInBytes ${value} is ${bytes ?? "passed over"}`, () => {
    assert.equal(parseConfig(objectStoreConfig, { ...bucket, blockSizeInBytes: value }).blockSizeInBytes?.bytes, bytes);
  });
}

for (const tier of ["Archive", "hot", "Premium"]) {
  test(`the access tier ${tier} is refused`, () => {
    assert.throws(() => parseConfig(objectStoreConfig, { ...bucket, accessTier: tier }), refusal(/accessTier/));
  });
}

test("tags are read in plain and in percent-encoded form", () => {
  const { tagging } = parseConfig(objectStoreConfig, { ...bucket, tagging: "team=a%20b&owner=x+y" });

  assert.deepEqual(tagging, { team: "a b", owner: "x y" });
});

for (const tagging of ["", "team", "team=a&team=b", "=a", "a=b=c", "a=ü", `a=${"x".repeat(257)}`]) {
  test(`the tags ${JSON.stringify(tagging.slice(0, 20))} are ${tagging === "" ? "no tags" : "refused"}`, () => {
    const parse = (): unknown => parseConfig(objectStoreConfig, { ...bucket, tagging }).tagging;

    if (tagging === "") assert.equal(parse(), undefined);
    else assert.throws(parse, refusal(/tagging: /));
  });
}

test("an authority that is not reached over TLS is refused for both kinds", () => {
  const config = { activeDirectoryAuthorityURI: "http://login.example.com" };

  assert.throws(() => parseConfig(objectStoreConfig, { ...bucket, ...config }), refusal(/activeDirectoryAuthorityURI/));
  assert.throws(() => parseConfig(volumeSnapshotterConfig, config), refusal(/activeDirectoryAuthorityURI: not https/));
});

test("the official plugin's keys of a VolumeSnapshotLocation are known, the documented one that it refuses as well", () => {
  const config = {
    credentialsFile: "/credentials/cloud",
    resourceGroup: "group",
    subscriptionId: "subscription",
    apiTimeout: "2m0s",
    incremental: "true",
    tags: "team=a,owner=b c",
    activeDirectoryAuthorityURI: "https://login.microsoftonline.us/",
  };

  const parsed = parseConfig(volumeSnapshotterConfig, config);

  assert.equal(parsed.apiTimeout, 120_000);
  assert.deepEqual(parsed.tags, { team: "a", owner: "b c" });
});

test("without a word a VolumeSnapshotLocation waits two minutes and makes full snapshots", () => {
  const { apiTimeout, incremental } = parseConfig(volumeSnapshotterConfig, {});

  assert.deepEqual([apiTimeout, incremental ?? false], [120_000, false]);
});
