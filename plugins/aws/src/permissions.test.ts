import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { objectStoreConfig, volumeSnapshotterConfig } from "./config.ts";
import { permissions } from "./permissions.ts";

const sources = globSync("*.ts", { cwd: import.meta.dirname, exclude: ["*.test.ts", "permissions.ts"] }).map((name) =>
  readFileSync(join(import.meta.dirname, name), "utf8"),
);
const inTable = new Set(permissions.flatMap(({ requests }) => requests));

test("every request that the code sends stands in the table of permissions, and no other", () => {
  const sent = new Set(
    sources.flatMap((source) => [...source.matchAll(/\bnew ([A-Z]\w*)Command\b/g)].map(([, name = ""]) => name)),
  );

  assert.deepEqual([...inTable].sort(), [...sent].sort());
});

test("every permission that a message tells to grant stands in the table", () => {
  const named = sources.flatMap((source) => source.match(/\b(?:s3|ec2):[A-Z]\w+/g) ?? []);
  const known = new Set(permissions.map(({ name }) => name));

  assert.ok(named.length > 0);
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
});

test("what S3 answers only to whoever has a permission of its own stands in the table, too", () => {
  // As the reference of HeadObject says of these headers.
  const permissionOf = {
    ObjectLockRetainUntilDate: "s3:GetObjectRetention",
    ObjectLockLegalHoldStatus: "s3:GetObjectLegalHold",
  };
  const read = Object.entries(permissionOf).filter(([field]) => sources.some((source) => source.includes(field)));
  const known = new Set(permissions.map(({ name }) => name));

  assert.equal(read.length, 2);
  assert.deepEqual(
    read.map(([, name]) => name).filter((name) => !known.has(name)),
    [],
  );
});

test("the keys that a permission depends on are keys of a location", () => {
  const known = { ...objectStoreConfig.keys, ...volumeSnapshotterConfig.keys };

  const unknown = permissions.flatMap(({ keys = [] }) => keys).filter((key) => !Object.hasOwn(known, key));

  assert.deepEqual(unknown, []);
});
