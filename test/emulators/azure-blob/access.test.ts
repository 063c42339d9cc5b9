import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import {
  AnonymousCredential,
  BlobSASPermissions,
  BlobServiceClient,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";

import { storageAudience, TokenAuthority } from "../azure-identity/tokens.ts";
import { get, readAll, sasUrl } from "../probes/azure-blob/context.ts";
import { failureOf } from "../probes/probe.ts";
import { startProbed } from "./probed-stand-in.ts";
import type { ProbedStandIn } from "./probed-stand-in.ts";
import { startAzureBlob } from "./start-azure-blob.ts";

// Over plain HTTP, for what only shows there.
const stateDir = await mkdtemp(join(tmpdir(), "azure-blob-access-"));
const keys = [randomBytes(64).toString("base64"), randomBytes(64).toString("base64")] as const;
const plain = await startAzureBlob({ stateDir, accounts: [{ name: "plain", keys, containers: ["one"] }] });
const noRetries = { retryOptions: { maxTries: 1 } };
after(async () => {
  await plain.close();
  await rm(stateDir, { recursive: true });
});

const objectId = "22222222-2222-2222-2222-222222222222";

async function withRole(
  role: "contributor" | "reader" | "delegator" | "none",
  use: (standIn: ProbedStandIn, service: BlobServiceClient) => Promise<void>,
): Promise<void> {
  await using standIn = await startProbed({ main: { roles: { [objectId]: role } } });
  await use(standIn, standIn.context.serviceWith(standIn.context.tokenCredential()));
}

describe("who may use the Azure Blob stand-in", { concurrency: true }, () => {
  test("both keys of an account are good", async () => {
    for (const key of keys) {
      const credential = new StorageSharedKeyCredential("plain", key);
      const blob = new BlobServiceClient(plain.accountUrl("plain"), credential, noRetries)
        .getContainerClient("one")
        .getBlockBlobClient("both-keys");

      await blob.upload("x", 1);
    }
  });

  test("a key that is switched off is refused, and what it signs", async () => {
    await using standIn = await startProbed({ main: { allowsSharedKey: false } });
    const container = standIn.context.service.getContainerClient("any-name");

    const { code } = await failureOf(container.create());
    const signed = await get(await sasUrl(container.getBlockBlobClient("x"), "r"));

    assert.equal(code, "KeyBasedAuthenticationNotPermitted");
    assert.deepEqual(signed, [403, "KeyBasedAuthenticationNotPermitted"]);
  });

  test("the key of one account opens no other", async () => {
    await using standIn = await startProbed();
    const { main, other } = standIn.context.target;
    const service = standIn.context.serviceWith(new StorageSharedKeyCredential(other.name, other.key), main);

    assert.equal((await failureOf(service.getContainerClient("any-name").create())).code, "AuthenticationFailed");
  });

  test("an account that does not exist is ResourceNotFound", async () => {
    assert.deepEqual(await get(`${plain.url}/nobody/one/x`), [404, "ResourceNotFound"]);
  });

  test("a request without proof is told where tokens come from", async () => {
    const response = await fetch(`${plain.accountUrl("plain")}/one/x`, { headers: { "x-ms-version": "2024-11-04" } });

    assert.equal(response.status, 401);
    assert.match(response.headers.get("www-authenticate") ?? "", /resource_id=https:\/\/storage\.azure\.com/);
    assert.match(await response.text(), /<Code>NoAuthenticationInformation<\/Code>/);
  });

  test("a token over plain HTTP is refused", async () => {
    const answer = await get(`${plain.accountUrl("plain")}/one/x`, {
      headers: { authorization: "Bearer any", "x-ms-version": "2024-11-04" },
    });

    assert.deepEqual(answer, [403, "AuthenticationFailed"]);
  });

  test("a URL for https alone is refused over plain HTTP", async () => {
    const credential = new StorageSharedKeyCredential("plain", keys[0]);
    const sas = generateBlobSASQueryParameters(
      {
        containerName: "one",
        blobName: "x",
        permissions: BlobSASPermissions.parse("r"),
        expiresOn: new Date(Date.now() + 60_000),
        protocol: SASProtocol.Https,
      },
      credential,
    );

    const answer = await get(`${plain.accountUrl("plain")}/one/x?${sas.toString()}`);

    assert.deepEqual(answer, [403, "AuthorizationProtocolMismatch"]);
  });

  test("a token that another authority signed is refused", async () => {
    await using standIn = await startProbed();
    const principal = { tenantId: "t", objectId, clientId: "c" };
    const token = new TokenAuthority().issue(principal, storageAudience);
    const service = standIn.context.serviceWith({
      getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 60_000 }),
    });

    const failure = await failureOf(service.getContainerClient("any-name").create());

    assert.deepEqual(failure, { code: "InvalidAuthenticationInfo", status: 401 });
  });

  test("a token of another tenant is refused", async () => {
    await using standIn = await startProbed({ main: { tenantId: "99999999-9999-9999-9999-999999999999" } });
    const service = standIn.context.serviceWith(standIn.context.tokenCredential());

    assert.equal((await failureOf(service.getContainerClient("any-name").create())).code, "InvalidAuthenticationInfo");
  });

  test("a reader reads and does not write", async () => {
    await withRole("reader", async ({ context }, service) => {
      const { containerName, name } = await context.put("bytes");
      const blob = service.getContainerClient(containerName).getBlockBlobClient(name);

      assert.equal(await readAll(blob), "bytes");
      assert.equal((await failureOf(blob.delete())).code, "AuthorizationPermissionMismatch");
    });
  });

  test("a contributor writes blobs and sets no tags", async () => {
    await withRole("contributor", async ({ context }, service) => {
      const { containerName, name } = await context.blob();
      const blob = service.getContainerClient(containerName).getBlockBlobClient(name);

      await blob.upload("x", 1);

      const tagged = await failureOf(blob.upload("x", 1, { tags: { a: "b" } }));
      assert.equal(tagged.code, "AuthorizationPermissionMismatch");
      assert.equal((await failureOf(blob.setTags({ a: "b" }))).code, "AuthorizationPermissionMismatch");
    });
  });

  test("a principal without a role does nothing", async () => {
    await withRole("none", async (_, service) => {
      const failure = await failureOf(service.getContainerClient("any-name").create());

      assert.deepEqual(failure, { code: "AuthorizationPermissionMismatch", status: 403 });
    });
  });

  test("a delegator signs URLs that permit nothing", async () => {
    await withRole("delegator", async ({ context }, service) => {
      const blob = await context.put("x");
      const expiresOn = new Date(Date.now() + 60_000);
      const key = await service.getUserDelegationKey(new Date(Date.now() - 60_000), expiresOn);
      const { containerName, name: blobName } = blob;
      const values = { containerName, blobName, permissions: BlobSASPermissions.parse("r"), expiresOn };
      const sas = generateBlobSASQueryParameters(values, key, context.target.main.name);

      assert.deepEqual(await get(`${blob.url}?${sas.toString()}`), [403, "AuthorizationPermissionMismatch"]);
    });
  });

  test("an unknown access policy is refused", async () => {
    const text = ["", "", "", "/blob/plain/one/x", "policy", "", "", "2024-11-04", "b", "", "", "", "", "", "", ""];
    const sig = createHmac("sha256", Buffer.from(keys[0], "base64")).update(text.join("\n")).digest("base64");
    const query = new URLSearchParams({ sv: "2024-11-04", sr: "b", si: "policy", sig });

    const answer = await get(`${plain.accountUrl("plain")}/one/x?${query.toString()}`);

    assert.deepEqual(answer, [403, "AuthenticationFailed"]);
  });

  test("a signature does not come with something behind its end", async () => {
    const credential = new StorageSharedKeyCredential("plain", keys[0]);
    const service = new BlobServiceClient(plain.accountUrl("plain"), credential, noRetries);
    const url = new URL(await sasUrl(service.getContainerClient("one").getBlockBlobClient("x"), "r"));
    url.searchParams.set("sig", `${url.searchParams.get("sig") ?? ""}x`);

    assert.deepEqual(await get(url.href), [403, "AuthenticationFailed"]);
  });

  test("a customer's key over plain HTTP is refused", async () => {
    const credential = new StorageSharedKeyCredential("plain", keys[0]);
    const service = new BlobServiceClient(plain.accountUrl("plain"), credential, noRetries);
    const url = await sasUrl(service.getContainerClient("one").getBlockBlobClient("cpk"), "cw");

    const answer = await get(url, {
      method: "PUT",
      body: "x",
      headers: { "x-ms-blob-type": "BlockBlob", "x-ms-encryption-key": "AAAA", "x-ms-encryption-algorithm": "AES256" },
    });

    assert.deepEqual(answer, [400, "InvalidHeaderValue"]);
  });

  test("errors have Azure's form, and those of a HEAD have no body", async () => {
    const anonymous = new BlobServiceClient(plain.accountUrl("plain"), new AnonymousCredential(), noRetries);
    const { url } = anonymous.getContainerClient("one").getBlockBlobClient("x");
    const headers = { "x-ms-version": "2024-11-04", "x-ms-client-request-id": "mine" };

    const full = await fetch(url, { headers });
    const head = await fetch(url, { headers, method: "HEAD" });

    assert.match(await full.text(), /^\uFEFF?<\?xml version="1\.0" encoding="UTF-8"\?>\s*<Error><Code>\w+<\/Code>/);
    assert.equal(full.headers.get("x-ms-client-request-id"), "mine");
    assert.match(full.headers.get("x-ms-request-id") ?? "", /^[\da-f-]{36}$/);
    assert.deepEqual([await head.text(), head.headers.get("x-ms-error-code")], ["", "NoAuthenticationInformation"]);
  });
});
