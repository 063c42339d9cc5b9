import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "@flotilla/sdk/plugin";
import { objectStoreConfig } from "./config.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { copyTargetConfig } from "./copy-target-config.ts";

/** What a location with these keys makes of its first target. */
function targetOf(keys: Readonly<Record<string, string>>): ObjectStoreConfig {
  const location = parseConfig(objectStoreConfig, { bucket: "b", prefix: "p", ...keys });
  const [target] = location.copyTo;
  if (target === undefined) throw new Error("no target");
  return copyTargetConfig(location, target);
}

test("a KMS key of the location is not the target's: it serves another place", () => {
  assert.equal(targetOf({ kmsKeyName: "own", copyTo: "gs://c" }).kmsKeyName, undefined);
  assert.equal(targetOf({ kmsKeyName: "own", copyTo: "gs://c?kmsKeyName=other" }).kmsKeyName, "other");
});

test("a customer's key of the location is the target's, unless that names a key of its own", () => {
  const keyed = { customerKeyEncryptionFile: "/own.key" };

  assert.equal(targetOf({ ...keyed, copyTo: "gs://c" }).customerKeyEncryptionFile, "/own.key");
  const named = targetOf({ ...keyed, copyTo: "gs://c?kmsKeyName=other" });
  assert.deepEqual([named.customerKeyEncryptionFile, named.kmsKeyName], [undefined, "other"]);
});

test("other credentials sign for themselves", () => {
  const own = { serviceAccount: "signer@x", credentialsFile: "/own.json" };

  assert.equal(targetOf({ ...own, copyTo: "gs://c" }).serviceAccount, "signer@x");
  const other = targetOf({ ...own, copyTo: "gs://c?credentialsFile=/other.json" });
  assert.deepEqual([other.serviceAccount, other.credentialsFile], [undefined, "/other.json"]);
});

test("a target without a path has the location's prefix, and no targets of its own", () => {
  assert.deepEqual(
    ["gs://c", "gs://c/dr"].map((copyTo) => targetOf({ copyTo })).map(({ bucket, prefix }) => [bucket, prefix]),
    [
      ["c", "p"],
      ["c", "dr"],
    ],
  );
  assert.deepEqual(targetOf({ copyTo: "gs://c" }).copyTo, []);
});
