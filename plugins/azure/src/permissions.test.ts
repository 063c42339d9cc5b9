import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BlobServiceClient, BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import { objectStoreConfig, volumeSnapshotterConfig } from "./config.ts";
import { permissions } from "./permissions.ts";

const names = globSync("*.ts", { cwd: import.meta.dirname, exclude: ["*.test.ts", "permissions.ts"] });
const inTable = [...new Set(permissions.flatMap(({ requests }) => requests))];

test("every request that the code sends stands in the table of permissions, and no other", () => {
  const compute = names.flatMap((name) => computeRequests(sourceOf(name)));
  const accounts = /import \{(.*)\} from "@azure\/arm-storage\/api\/storageAccounts"/.exec(
    sourceOf("storage-account-api.ts"),
  );
  const sent = new Set([
    ...names.filter((name) => name.startsWith("azure-blob-")).flatMap((name) => blobRequests(sourceOf(name))),
    ...compute,
    ...(accounts?.[1] ?? "").split(",").map((name) => `storageAccounts.${name.trim()}`),
  ]);

  assert.deepEqual(inTable.sort(), [...sent].sort());
});

test("every permission that a message tells to grant stands in the table", () => {
  const literals = names.flatMap(
    (name) => sourceOf(name).match(/Microsoft\.(?:Compute|Storage)\/[A-Za-z]+\/[A-Za-z]+(?:\/action)?/g) ?? [],
  );
  const known = new Set(permissions.map(({ name }) => name));

  assert.ok(literals.length > 0);
  assert.deepEqual(
    literals.filter((name) => !known.has(name)),
    [],
  );
});

test("the keys that a permission depends on are keys of a location", () => {
  const known = { ...objectStoreConfig.keys, ...volumeSnapshotterConfig.keys };

  const unknown = permissions
    .flatMap(({ keys = [], unless = [] }) => [...keys, ...unless])
    .filter((key) => !Object.hasOwn(known, key));

  assert.deepEqual(unknown, []);
});

/** The SDK's own methods that a source calls, but for those that only make another client. */
function blobRequests(source: string): string[] {
  const methods = new Set(
    [BlockBlobClient, ContainerClient, BlobServiceClient].flatMap(({ prototype }) => methodsOf(prototype)),
  );
  return [...source.matchAll(/(?<!this)\.(\w+)\(/g)].flatMap(([, name = ""]) =>
    methods.has(name) && !/^(get\w*Client|constructor)$/.test(name) ? [name] : [],
  );
}

function methodsOf(prototype: object): string[] {
  const parent: unknown = Object.getPrototypeOf(prototype);
  const own = Object.getOwnPropertyNames(prototype);
  return parent === Object.prototype || typeof parent !== "object" || parent === null
    ? own
    : [...own, ...methodsOf(parent)];
}

function computeRequests(source: string): string[] {
  const direct = [
    ...source.matchAll(/\b(disks|snapshots|diskEncryptionSets|resourceSkus)\.(get|list\w*|createOrUpdate|begin\w+)\(/g),
  ].map(([, group, method]) => `${group}.${method}`);
  // One place deletes either, by the type of what is deleted.
  return source.includes("client[id.type].delete(") ? [...direct, "disks.delete", "snapshots.delete"] : direct;
}

function sourceOf(name: string): string {
  return readFileSync(join(import.meta.dirname, name), "utf8");
}
