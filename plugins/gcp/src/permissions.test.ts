import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { permissions } from "./permissions.ts";
import { GcePersistentDiskApi } from "./persistent-disk-api.ts";

const sources = new Map(
  globSync("*.ts", { cwd: import.meta.dirname, exclude: ["*.test.ts", "permissions.ts"] }).map((name) => [
    name,
    readFileSync(join(import.meta.dirname, name), "utf8"),
  ]),
);
const inTable = new Set(permissions.flatMap(({ requests }) => requests));

// What each file of the object store asks of Cloud Storage and IAM, by the method of the request.
const storageRequests: Readonly<Record<string, string | undefined>> = {
  "gcs-blob-driver.ts DELETE": "delete object",
  // Of an object, of its bytes, and of a listing.
  "gcs-blob-driver.ts GET": "get object",
  "gcs-check.ts GET": "list objects",
  "gcs-copy-check.ts GET": "get bucket",
  "gcs-copy.ts GET": "get object",
  "gcs-copy.ts POST": "insert object",
  "gcs-put.ts GET": "get object",
  "gcs-put.ts POST": "insert object",
  "gcs-read-refusal.ts GET": "get object",
  "gcs-session.ts GET": "list objects",
  // Of a session that is given up, and of the chunks of one.
  "gcs-upload.ts DELETE": "insert object",
  "gcs-upload.ts POST": "insert object",
  "gcs-upload.ts PUT": "insert object",
  "iam-credentials.ts POST": "sign blob",
};

test("every request of the object store is known, with the permission that it needs", () => {
  const sent = [...sources]
    .filter(([name]) => name.startsWith("gcs-") || name === "iam-credentials.ts")
    .flatMap(([name, source]) => [...source.matchAll(/\bmethod: "(\w+)"/g)].map(([, method]) => `${name} ${method}`));

  assert.deepEqual([...new Set(sent)].sort(), Object.keys(storageRequests).sort());
  assert.deepEqual(
    Object.values(storageRequests).filter((request) => request === undefined || !inTable.has(request)),
    [],
  );
});

test("every request to Compute Engine stands in the table of permissions", () => {
  const requests = Object.getOwnPropertyNames(GcePersistentDiskApi.prototype).filter((name) => name !== "constructor");

  assert.deepEqual(
    requests.filter((name) => !inTable.has(name)),
    [],
  );
});

test("every permission that a message tells to grant stands in the table", () => {
  // One that is only asked about where a check failed is no need of the plugin.
  const known = new Set(["storage.buckets.get", ...permissions.map(({ name }) => name)]);

  const named = [...sources.values()].flatMap(
    (source) =>
      source.match(/\b(?:compute\.\w+|storage\.(?:objects|buckets)|iam\.serviceAccounts)\.(?!com\b)\w+/g) ?? [],
  );

  assert.ok(named.length > 0);
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
});
