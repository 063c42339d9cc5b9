import assert from "node:assert/strict";
import { request } from "node:https";
import { describe, test } from "node:test";

import { StorageManagementClient } from "@azure/arm-storage";

import { armAudience, storageAudience, TokenAuthority } from "../azure-identity/tokens.ts";
import { failureOf } from "../probes/probe.ts";
import { caller, clientOf, idOf, sendRaw, startRig } from "./rig.ts";
import { azureDefaults } from "./seeds.ts";

const { resourceGroup: group, location, otherLocation, subscriptionId } = azureDefaults;
const often = { updateIntervalInMs: 20 };
const version = "?api-version=2026-03-02";
const empty = { location, diskSizeGB: 4, creationData: { createOption: "Empty" } };

describe("bearer tokens", { concurrency: true }, () => {
  test("a request without a token is told where to get one", async (t) => {
    const { arm } = await startRig(t);

    const { status, headers, json } = await sendRaw(arm, "GET", idOf("disks", "pv") + version, {
      headers: { authorization: "" },
    });

    assert.equal(status, 401);
    assert.match(String(headers["www-authenticate"]), /^Bearer authorization_uri="https:/);
    assert.equal((json as { error: { code: string } }).error.code, "AuthenticationFailed");
  });

  test("a token for another audience, an expired one, one of another tenant and a forged one are refused", async (t) => {
    const { arm } = await startRig(t);
    arm.addDisk({ name: "pv" });
    const other = { ...caller, tenantId: "55555555-5555-4555-8555-555555555555" };
    const tokens = {
      InvalidAuthenticationTokenAudience: arm.tokens.issue(caller, storageAudience),
      ExpiredAuthenticationToken: arm.tokens.issue(caller, armAudience, -1000),
      InvalidAuthenticationTokenTenant: arm.tokens.issue(other, armAudience),
      InvalidAuthenticationToken: new TokenAuthority().issue(caller, armAudience),
    };

    for (const [code, token] of Object.entries(tokens)) {
      assert.deepEqual(await failureOf(clientOf(arm, token).disks.get(group, "pv")), { code, status: 401 });
    }
  });
});

describe("what ARM refuses", { concurrency: true }, () => {
  test("a request without an api-version, or with one that is none, is refused", async (t) => {
    const { arm } = await startRig(t);
    const path = idOf("disks", "pv");

    const codes = await Promise.all(
      [path, `${path}?api-version=latest`].map(async (one) => (await sendRaw(arm, "GET", one)).json),
    );

    assert.deepEqual(
      codes.map((json) => (json as { error: { code: string } }).error.code),
      ["MissingApiVersionParameter", "InvalidApiVersionParameter"],
    );
  });

  test("a version that this cloud does not know is refused", async (t) => {
    const { arm } = await startRig(t, { apiVersions: ["2024-03-02"] });
    arm.addDisk({ name: "pv" });
    const path = idOf("disks", "pv");

    const newer = await sendRaw(arm, "GET", path + version);

    assert.equal((newer.json as { error: { code: string } }).error.code, "NoRegisteredProviderFound");
    assert.equal((await sendRaw(arm, "GET", `${path}?api-version=2024-03-02`)).status, 200);
  });

  test("a property that the API does not have is refused", async (t) => {
    const { arm } = await startRig(t);
    const properties = { creationData: { createOption: "Empty" }, diskSizeGB: 4, sizeInGB: 4 };

    const { status, json } = await sendRaw(arm, "PUT", idOf("disks", "pv") + version, {
      body: { location, properties },
    });

    assert.equal(status, 400);
    assert.match((json as { error: { message: string } }).error.message, /properties\.sizeInGB/);
  });

  test("a permission that is missing is AuthorizationFailed, for that principal and scope only", async (t) => {
    const { arm, client } = await startRig(t);
    arm.addDisk({ name: "pv" });
    arm.addDisk({ name: "pv", resourceGroup: "other" });
    const scope = `/subscriptions/${subscriptionId}/resourceGroups/${group.toUpperCase()}`;
    const allow = arm.deny({ actions: ["Microsoft.Compute/disks/*"], clientId: caller.clientId, scope });

    assert.deepEqual(await failureOf(client.disks.get(group, "pv")), { code: "AuthorizationFailed", status: 403 });
    await client.disks.get("other", "pv");
    const someoneElse = { ...caller, clientId: "66666666-6666-4666-8666-666666666666" };
    await clientOf(arm, arm.tokens.issue(someoneElse, armAudience)).disks.get(group, "pv");
    allow();
    await client.disks.get(group, "pv");
  });

  test("a snapshot of a disk that may not be read is LinkedAuthorizationFailed", async (t) => {
    const { arm, accept } = await startRig(t);
    const id = arm.addDisk({ name: "pv" });
    arm.deny({ actions: ["Microsoft.Compute/disks/beginGetAccess/action"] });

    assert.deepEqual(await failureOf(accept("snap", id)), { code: "LinkedAuthorizationFailed", status: 403 });
  });

  test("a snapshot of a disk in a subscription that is not there is LinkedAuthorizationFailed", async (t) => {
    const { arm, accept } = await startRig(t);
    const id = arm.addDisk({ name: "pv" }).replace(subscriptionId, "77777777-7777-4777-8777-777777777777");

    assert.deepEqual(await failureOf(accept("snap", id)), { code: "LinkedAuthorizationFailed", status: 403 });
  });

  test("a disk of another subscription and group is snapshotted", async (t) => {
    const { arm, client, accept } = await startRig(t);
    const place = { subscriptionId: "88888888-8888-4888-8888-888888888888", resourceGroup: "far" };
    const id = arm.addDisk({ name: "pv", sizeGiB: 21, ...place });

    await accept("snap", id);

    assert.equal((await client.snapshots.get(group, "snap")).diskSizeGB, 21);
  });

  test("a disk that is attached is not deleted", async (t) => {
    const { arm, client } = await startRig(t);
    arm.addDisk({ name: "pv", managedBy: "/subscriptions/s/vm-1" });

    const remove = client.disks.delete(group, "pv", often);

    assert.deepEqual(await failureOf(remove), { code: "OperationNotAllowed", status: 409 });
  });

  test("a quota that is reached refuses what is new in that region", async (t) => {
    const { arm, client } = await startRig(t);
    arm.addDisk({ name: "pv" });
    arm.setQuota({ disks: 1 });

    const more = client.disks.createOrUpdate(group, "more", empty, often);

    assert.deepEqual(await failureOf(more), { code: "QuotaExceeded", status: 409 });
    await client.disks.createOrUpdate(group, "more", { ...empty, location: otherLocation }, often);
  });

  test("a region that refuses everything does so until it accepts again, and the other one works", async (t) => {
    const { arm, client } = await startRig(t);
    arm.addDisk({ name: "near" });
    arm.addDisk({ name: "far", location: otherLocation });
    arm.refuseRegion(location);

    const down = { code: "ServiceUnavailable", status: 503 };
    assert.deepEqual(await failureOf(client.disks.get(group, "near")), down);
    assert.deepEqual(await failureOf(client.disks.createOrUpdate(group, "new", empty, often)), down);
    assert.deepEqual(await failureOf(client.disks.delete(group, "near", often)), down);
    await client.disks.get(group, "far");
    arm.acceptRegion(location);
    await client.disks.get(group, "near");
  });

  test("too many requests are refused with the time to wait", async (t) => {
    const { arm } = await startRig(t);
    arm.addDisk({ name: "pv" });
    const error = { kind: "error", status: 429, code: "TooManyRequests", headers: { "retry-after": "17" } } as const;
    arm.faults.add(error, { operation: "Disks_Get" });

    const first = await sendRaw(arm, "GET", idOf("disks", "pv") + version);
    const second = await sendRaw(arm, "GET", idOf("disks", "pv") + version);

    assert.deepEqual([first.status, first.headers["retry-after"], second.status], [429, "17", 200]);
  });

  test("an answer that is lost has had its effect", async (t) => {
    const { arm, client, accept } = await startRig(t);
    arm.faults.add({ kind: "lose-response" }, { operation: "Snapshots_CreateOrUpdate", key: /\/snap$/ });

    await assert.rejects(accept("snap", arm.addDisk({ name: "pv" })));

    assert.equal((await client.snapshots.get(group, "snap")).name, "snap");
  });
});

describe("ids", { concurrency: true }, () => {
  test("a resource group may be answered in upper case and asked for in any", async (t) => {
    const { arm, client, accept } = await startRig(t, { upperCaseGroups: true });
    const id = arm.addDisk({ name: "pv" });

    const disk = await client.disks.get(group, "pv");
    await accept("snap", disk.id ?? "");

    assert.equal(disk.id, id.replace(group, group.toUpperCase()));
    assert.equal((await client.snapshots.get(group, "snap")).creationData?.sourceUniqueId, disk.uniqueId);
  });

  test("an address with an escape that stands for nothing is refused", async (t) => {
    const { arm } = await startRig(t);
    const { status } = await new Promise<{ status: number | undefined }>((resolve, reject) => {
      const options = { method: "GET", path: "/subscriptions/%ff", ca: arm.caPem, agent: false };
      request(arm.url, options, (response) => {
        response.resume();
        resolve({ status: response.statusCode });
      })
        .once("error", reject)
        .end();
    });

    assert.equal(status, 400);
  });
});

describe("lists", { concurrency: true }, () => {
  test("a list comes in pages and holds what is in its group or subscription only", async (t) => {
    const { arm, client } = await startRig(t, { pageSize: 2 });
    const near = ["a", "b", "c", "d", "e"].map((name) => arm.addDisk({ name }));
    const other = arm.addDisk({ name: "f", resourceGroup: `${group}-2` });
    arm.addDisk({ name: "g", subscriptionId: "88888888-8888-4888-8888-888888888888" });

    const idsOf = async (list: AsyncIterable<{ readonly id?: string }>): Promise<(string | undefined)[]> => {
      const ids: (string | undefined)[] = [];
      for await (const { id } of list) ids.push(id);
      return ids;
    };

    assert.deepEqual(await idsOf(client.disks.listByResourceGroup(group.toUpperCase())), near);
    assert.deepEqual(await idsOf(client.disks.list()), [other, ...near]);
    assert.equal(arm.log.entries("Disks_ListByResourceGroup").length, 3);
    assert.equal(arm.log.entries("Disks_List").length, 3);
  });
});

describe("storage accounts", { concurrency: true }, () => {
  test("an account tells its endpoint and its keys", async (t) => {
    const { arm } = await startRig(t);
    const blobEndpoint = "https://account.blob.core.windows.net/";
    const keys = [{ value: "cmVhZA==", permissions: "READ" as const }, "ZnVsbA=="];
    arm.addStorageAccount({ name: "account", blobEndpoint, keys });
    const storage = storageClientOf(arm.url, arm.caPem, arm.tokens.issue(caller, armAudience));

    const { primaryEndpoints } = await storage.storageAccounts.getProperties(group, "Account");
    const plain = await storage.storageAccounts.listKeys(group, "account");
    const kerberos = await storage.storageAccounts.listKeys(group, "account", { expand: "kerb" });

    assert.equal(primaryEndpoints?.blob, blobEndpoint);
    assert.deepEqual(
      plain.keys?.map(({ keyName, value, permissions }) => [keyName, value, permissions]),
      [
        ["key1", "cmVhZA==", "READ"],
        ["key2", "ZnVsbA==", "FULL"],
      ],
    );
    assert.deepEqual(
      kerberos.keys?.map(({ keyName }) => keyName),
      ["key1", "key2", "kerb1", "kerb2"],
    );
  });

  test("an account that is not there is ResourceNotFound, and keys may be forbidden", async (t) => {
    const { arm } = await startRig(t);
    arm.addStorageAccount({ name: "account", blobEndpoint: "https://account.blob.core.windows.net/" });
    arm.deny({ actions: ["Microsoft.Storage/storageAccounts/listKeys/action"] });
    const storage = storageClientOf(arm.url, arm.caPem, arm.tokens.issue(caller, armAudience));

    const missing = storage.storageAccounts.getProperties(group, "another");
    const keys = storage.storageAccounts.listKeys(group, "account");

    assert.deepEqual(await failureOf(missing), { code: "ResourceNotFound", status: 404 });
    assert.deepEqual(await failureOf(keys), { code: "AuthorizationFailed", status: 403 });
  });
});

function storageClientOf(endpoint: string, ca: string, token: string): StorageManagementClient {
  const getToken = (): Promise<{ token: string; expiresOnTimestamp: number }> =>
    Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 });
  const options = { endpoint, tlsOptions: { ca }, retryOptions: { maxRetries: 0 } };
  return new StorageManagementClient({ getToken }, subscriptionId, options);
}
