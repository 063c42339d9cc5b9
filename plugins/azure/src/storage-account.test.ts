import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { StorageSharedKeyCredential } from "@azure/storage-blob";
import { isKind, parseConfig } from "@flotilla/sdk/plugin";
import { openConnection } from "./client.ts";
import { objectStoreConfig } from "./config.ts";
import { StorageAccount } from "./storage-account.ts";
import { contextWith, quietCall } from "./testing/call.ts";
import { writeCredentials } from "./testing/credentials-file.ts";

const key = "c2VjcmV0";
const application = "AZURE_TENANT_ID=t\nAZURE_CLIENT_ID=c\nAZURE_CLIENT_SECRET=s\n";
const place = "AZURE_SUBSCRIPTION_ID=s\nAZURE_RESOURCE_GROUP=g\n";

async function open(
  t: TestContext,
  lines: string,
  keys: Readonly<Record<string, string>> = { storageAccount: "account" },
): Promise<StorageAccount> {
  const credentialsFile = await writeCredentials(t, lines);
  const config = parseConfig(objectStoreConfig, { bucket: "b", credentialsFile, ...keys });
  const connection = await openConnection({ ...config, insecureSkipVerify: false }, contextWith());
  t.after(() => connection.close());
  const account = await StorageAccount.open(config, connection);
  t.after(() => account.close());
  return account;
}

for (const [uri, name] of [
  ["https://account.blob.core.windows.net", "account"],
  ["https://account.blob.core.windows.net/", "account"],
  ["https://account.z13.blob.storage.azure.net/", "account"],
  ["http://127.0.0.1:10000/devstoreaccount1", "devstoreaccount1"],
  ["http://127.0.0.1:10000/devstoreaccount1/", "devstoreaccount1"],
] as const) {
  test(`the account of ${uri} is ${name}`, async (t) => {
    const account = await open(t, `AZURE_STORAGE_KEY=${key}`, { storageAccountURI: uri });

    assert.equal(account.name, name);
    assert.equal((await account.resolve(quietCall)).endpoint, uri.replace(/\/$/, ""));
  });
}

test("a key that storageAccount names comes before the one of storageAccountURI", async (t) => {
  const keys = { storageAccount: "named", storageAccountURI: "https://private.example.com" };

  assert.equal((await open(t, `AZURE_STORAGE_KEY=${key}`, keys)).name, "named");
});

test("with a key the endpoint is the usual one of the cloud, and nobody is asked", async (t) => {
  const account = await open(t, `KEY=${key}\nAZURE_CLOUD_NAME=AzureChinaCloud\n${place}`, {
    storageAccount: "account",
    storageAccountKeyEnvVar: "KEY",
  });

  const { endpoint, credential } = await account.resolve(quietCall);

  assert.equal(endpoint, "https://account.blob.core.chinacloudapi.cn");
  assert.ok(credential instanceof StorageSharedKeyCredential);
});

for (const [title, lines, keys, kind] of [
  ["a named line", `KEY=${key}\n${application}`, { storageAccountKeyEnvVar: "KEY", useAAD: "true" }, "key"],
  ["AZURE_STORAGE_KEY and useAAD", `AZURE_STORAGE_KEY=${key}\n${application}`, { useAAD: "true" }, "key"],
  ["AZURE_STORAGE_KEY and nobody to ask", `AZURE_STORAGE_KEY=${key}\n${application}`, {}, "key"],
  ["AZURE_STORAGE_KEY, which useAAD alone wants", `AZURE_STORAGE_KEY=${key}\n${application}${place}`, {}, "exchange"],
  ["useAAD", application, { useAAD: "true" }, "token"],
  ["none of them", `${application}${place}`, {}, "exchange"],
] as const) {
  test(`with ${title} a location uses its ${kind}`, async (t) => {
    assert.equal((await open(t, lines, { storageAccount: "account", ...keys })).auth.kind, kind);
  });
}

for (const [title, line] of [
  ["with a comment right behind it", `KEY=${key}#of the account`],
  ["that ends with a line break", `KEY="${key}\\n"`],
  ["that is broken over two lines", `KEY="${key.slice(0, 4)}\n${key.slice(4)}"`],
] as const) {
  test(`an access key ${title} is the key`, async (t) => {
    const { auth } = await open(t, line, { storageAccount: "account", storageAccountKeyEnvVar: "KEY" });

    assert.deepEqual(auth, { kind: "key", key });
  });
}

for (const [title, lines, keys, pattern] of [
  ["neither account nor URI", `AZURE_STORAGE_KEY=${key}`, {}, /storageAccount/],
  [
    "a line that is missing",
    application,
    { storageAccount: "a", storageAccountKeyEnvVar: "KEY" },
    /storageAccountKeyEnvVar/,
  ],
  ["a line that is no key", "KEY=not a key!", { storageAccount: "a", storageAccountKeyEnvVar: "KEY" }, /KEY/],
  ["no subscription to ask in", application, { storageAccount: "a" }, /subscriptionId/],
  ["no group to ask in", `${application}AZURE_SUBSCRIPTION_ID=s`, { storageAccount: "a" }, /resourceGroup/],
] as const) {
  test(`${title} is refused`, async (t) => {
    await assert.rejects(
      open(t, lines, keys),
      (error) =>
        isKind(error, "invalid-config") && pattern.test(error.message) && !error.message.includes("not a key!"),
    );
  });
}

test("only a key that was asked for can be asked for again", async (t) => {
  const account = await open(t, `AZURE_STORAGE_KEY=${key}`);
  const access = await account.resolve(quietCall);

  assert.equal(account.forget(access), false);
  assert.equal(await account.resolve(quietCall), access);
});

test("a call that was cancelled does not wait for the account", async (t) => {
  const account = await open(t, `AZURE_STORAGE_KEY=${key}`);

  await assert.rejects(account.resolve({ ...quietCall, signal: AbortSignal.abort(new Error("over")) }), /over/);
});
