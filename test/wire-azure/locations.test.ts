import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { azureDefaults } from "@flotilla/test/emulators";

import { collect, failureOf, inChunks } from "../wire/bytes.ts";
import { accountKey, startCloudRig } from "./blob-rig.ts";
import type { LocationOptions } from "./blob-rig.ts";
import { ownerLines } from "./harness.ts";

const { tenantId } = azureDefaults;
const names = ["first", "second", "outer", "inner", "former", "latter"] as const;

const rig = await startCloudRig({
  account: {
    roles: { "object-reader": "reader", ...Object.fromEntries(names.map((name) => [`object-${name}`, "contributor"])) },
  },
  identity: {
    applications: ["reader", ...names].map((clientId) => ({
      tenantId,
      clientId,
      objectId: `object-${clientId}`,
      secrets: [`${clientId}-secret`],
    })),
  },
});
after(() => rig.close());

function as(clientId: string, options: LocationOptions = {}): LocationOptions {
  const lines = { ...ownerLines, AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: `${clientId}-secret` };
  return { ...options, lines, config: { useAAD: "true", ...options.config } };
}

/** Whose tokens the requests for a key had. */
function clientsOf(bucket: string, key: string): readonly unknown[] {
  return rig
    .requestsOf(bucket)
    .filter((request) => request.key === key)
    .map(({ headers }) => {
      const payload = headers.get("authorization")?.split(".")[1] ?? "";
      const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
      return (claims as { readonly appid?: unknown }).appid;
    });
}

describe("several locations in one process", { concurrency: true, timeout: 600_000 }, () => {
  test("two containers are each reached with their own identity, whichever was opened last", async () => {
    const session = rig.start();
    const one = await rig.open("own-1", as("first", { session }));
    const two = await rig.open("own-2", as("second", { session }));

    for (const location of [one, two, one]) await location.put("contents", Buffer.from(location.bucket));

    assert.deepEqual(clientsOf("own-1", "contents"), ["first", "first"]);
    assert.deepEqual(clientsOf("own-2", "contents"), ["second"]);
    assert.equal(session.manager.pids.length, 1);
  });

  test("an access key and an identity live beside each other", async () => {
    const session = rig.start();
    const withKey = await rig.open("key-beside", { session, lines: { AZURE_STORAGE_KEY: accountKey } });
    const withToken = await rig.open("token-beside", as("first", { session }));

    await Promise.all([withKey, withToken].map((location) => location.put("contents", Buffer.from("x"))));

    const schemes = ["key-beside", "token-beside"].map((bucket) =>
      rig.requestsOf(bucket, "PutBlob").map(({ headers }) => headers.get("authorization")?.split(" ")[0]),
    );
    assert.deepEqual(schemes, [["SharedKey"], ["Bearer"]]);
  });

  test("one container with two prefixes is reached with the identity of the longest prefix that matches", async () => {
    await rig.container("two-prefixes").create();
    const session = rig.start();
    const inner = as("inner", { session, bucketIs: "there", config: { prefix: "team/inner" } });
    const { store } = await rig.open("two-prefixes", inner);
    await store.putObject({ bucket: "two-prefixes", key: "team/inner/backups/b" }, inChunks(Buffer.from("x")));
    await rig.open("two-prefixes", as("outer", { session, bucketIs: "there", config: { prefix: "team" } }));

    for (const key of ["team/inner/backups/c", "team/backups/b"])
      await store.putObject({ bucket: "two-prefixes", key }, inChunks(Buffer.from("x")));

    assert.deepEqual(clientsOf("two-prefixes", "team/inner/backups/c"), ["inner"]);
    assert.deepEqual(clientsOf("two-prefixes", "team/backups/b"), ["outer"]);
  });

  test("a location that is opened again with another identity uses the new one", async () => {
    const session = rig.start();
    await rig.open("opened-again", as("former", { session }));

    const { store } = await rig.open("opened-again", as("latter", { session, bucketIs: "there" }));
    await store.putObject({ bucket: "opened-again", key: "contents" }, inChunks(Buffer.from("x")));

    assert.deepEqual(clientsOf("opened-again", "contents"), ["latter"]);
  });

  test("a location that cannot be opened leaves the others as they were", async () => {
    const session = rig.start();
    const good = await rig.open("still-good", as("first", { session }));
    await good.put("contents", Buffer.from("x"));

    await failureOf(rig.open("never-opened", as("first", { session, config: { useAAD: "perhaps" } })));

    assert.deepEqual(await collect(good.store.getObject(good.at("contents"))), Buffer.from("x"));
  });

  test("nothing of a credentials file reaches the next location", async () => {
    const session = rig.start();
    const good = await rig.open("has-identity", as("first", { session }));
    await good.list();

    const error = await failureOf(rig.open("has-none", { session, lines: { AZURE_TENANT_ID: tenantId } }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /AZURE_SUBSCRIPTION_ID/);
  });
});
