import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "@flotilla/sdk/plugin";
import { objectStoreConfig, volumeSnapshotterConfig } from "./config.ts";
import { parseStoreEndpoint, parseUniverseDomain } from "./config-values.ts";

for (const [text, href] of [
  ["https://storage.googleapis.com", "https://storage.googleapis.com/"],
  ["https://storage.googleapis.com/storage/v1/", "https://storage.googleapis.com/"],
  ["https://storage-psc.p.googleapis.com/storage/v1", "https://storage-psc.p.googleapis.com/"],
  ["storage-psc.p.googleapis.com", "https://storage-psc.p.googleapis.com/"],
  ["localhost:4443", "https://localhost:4443/"],
  ["http://127.0.0.1:4443/storage/v1/", "http://127.0.0.1:4443/"],
  ["https://proxy.example/gcs/storage/v1/", "https://proxy.example/gcs"],
] as const) {
  test(`storeEndpoint ${text} is ${href}`, () => {
    assert.equal(parseStoreEndpoint(text).href, href);
  });
}

for (const text of ["ftp://store", "http://", "a b"]) {
  test(`storeEndpoint ${text} is refused`, () => {
    assert.throws(() => parseStoreEndpoint(text));
  });
}

test("universeDomain is a domain, in any case", () => {
  assert.equal(parseUniverseDomain("Apis-Berlin.example"), "apis-berlin.example");
  for (const text of ["https://googleapis.com", "googleapis", "a b.c", ""])
    assert.throws(() => parseUniverseDomain(text), text);
});

test("every key of the official plugin is accepted, in both kinds", () => {
  const objects = ["kmsKeyName", "serviceAccount", "credentialsFile", "storeEndpoint", "universeDomain", "caCert"];
  const config = Object.fromEntries(objects.map((key) => [key, "a.example"]));
  assert.equal(parseConfig(objectStoreConfig, { bucket: "b", prefix: "", ...config }).serviceAccount, "a.example");

  const volumes = { snapshotLocation: "eu", snapshotType: "archive", project: "p", volumeProject: "v" };
  const parsed = parseConfig(volumeSnapshotterConfig, { ...volumes, credentialsFile: "/f" });
  assert.equal(parsed.snapshotType, "ARCHIVE");
  assert.equal(parsed.wait, "none");
});

test("a snapshotType that is none is refused", () => {
  assert.throws(() => parseConfig(volumeSnapshotterConfig, { snapshotType: "COLD" }), /snapshotType/);
});
