import assert from "node:assert/strict";

import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  BlobSASPermissions,
  ContainerSASPermissions,
  generateAccountSASQueryParameters,
  generateBlobSASQueryParameters,
  SASProtocol,
} from "@azure/storage-blob";
import type { BlobSASSignatureValues, BlockBlobClient } from "@azure/storage-blob";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import { get, readAll, sasUrl } from "./context.ts";
import type { BlobContext } from "./context.ts";

const minute = 60_000;
const inAMinute = (): Date => new Date(Date.now() + minute);

function signed(store: BlobContext, blob: BlockBlobClient, values: Partial<BlobSASSignatureValues>): string {
  const { containerName, name: blobName } = blob;
  const usual = { containerName, blobName, permissions: BlobSASPermissions.parse("r"), expiresOn: inAMinute() };
  return `${blob.url}?${generateBlobSASQueryParameters({ ...usual, ...values }, store.credential).toString()}`;
}

function accountSigned(store: BlobContext, blob: BlockBlobClient, permissions: string, types: string): string {
  const sas = generateAccountSASQueryParameters(
    {
      permissions: AccountSASPermissions.parse(permissions),
      services: AccountSASServices.parse("b").toString(),
      resourceTypes: AccountSASResourceTypes.parse(types).toString(),
      expiresOn: inAMinute(),
    },
    store.credential,
  );
  return `${blob.url}?${sas.toString()}`;
}

async function delegated(
  store: BlobContext,
  blob: BlockBlobClient,
  values: Partial<BlobSASSignatureValues>,
): Promise<string> {
  const service = store.serviceWith(store.tokenCredential());
  const key = await service.getUserDelegationKey(new Date(Date.now() - minute), inAMinute());
  const { containerName, name: blobName } = blob;
  const usual = { containerName, blobName, permissions: BlobSASPermissions.parse("r"), expiresOn: inAMinute() };
  return `${blob.url}?${generateBlobSASQueryParameters({ ...usual, ...values }, key, store.target.main.name).toString()}`;
}

/** Shared access signatures of blobs, containers, accounts and user delegation keys. */
export const signatureProbes: readonly Probe<BlobContext>[] = [
  {
    name: "a signed URL reads the blob",
    run: async (store) => {
      const url = await sasUrl(await store.put("bytes"), "r");

      assert.equal(await (await fetch(url)).text(), "bytes");
    },
  },
  {
    name: "a signed URL answers with the headers that it names",
    run: async (store) => {
      const url = signed(store, await store.put("x"), { contentDisposition: "attachment", contentType: "a/b" });

      const { headers } = await fetch(url);

      assert.deepEqual([headers.get("content-disposition"), headers.get("content-type")], ["attachment", "a/b"]);
    },
  },
  {
    name: "a changed signature is refused",
    run: async (store) => {
      const url = new URL(await sasUrl(await store.put("x"), "r"));
      url.searchParams.set("sig", Buffer.alloc(32).toString("base64"));

      assert.deepEqual(await get(url.href), [403, "AuthenticationFailed"]);
    },
  },
  {
    name: "a signed URL with more rights than were signed is refused",
    run: async (store) => {
      const url = new URL(await sasUrl(await store.put("x"), "r"));
      url.searchParams.set("sp", "rd");

      assert.deepEqual(await get(url.href), [403, "AuthenticationFailed"]);
    },
  },
  {
    name: "a signed URL is good for its blob alone",
    run: async (store) => {
      const [blob, other] = [await store.put("x"), await store.put("y")];
      const { search } = new URL(await sasUrl(blob, "r"));

      assert.deepEqual(await get(other.url + search), [403, "AuthenticationFailed"]);
    },
  },
  {
    name: "an expired URL is refused",
    run: async (store) => {
      const url = signed(store, await store.put("x"), { expiresOn: new Date(Date.now() - minute) });

      assert.deepEqual(await get(url), [403, "AuthenticationFailed"]);
    },
  },
  {
    name: "a URL before its start is refused",
    run: async (store) => {
      const startsOn = new Date(Date.now() + 10 * minute);
      const url = signed(store, await store.put("x"), { startsOn, expiresOn: new Date(Date.now() + 20 * minute) });

      assert.deepEqual(await get(url), [403, "AuthenticationFailed"]);
    },
  },
  {
    name: "a URL for reading does not delete",
    run: async (store) => {
      const blob = await store.put("x");

      const answer = await get(await sasUrl(blob, "r"), { method: "DELETE" });

      assert.deepEqual(answer, [403, "AuthorizationPermissionMismatch"]);
      assert.equal(await blob.exists(), true);
    },
  },
  {
    name: "a URL for creating does not overwrite",
    run: async (store) => {
      const blob = await store.put("former");

      const url = await sasUrl(blob, "c");
      const [status] = await get(url, { method: "PUT", body: "next", headers: { "x-ms-blob-type": "BlockBlob" } });

      assert.equal(status, 403);
      assert.equal(await readAll(blob), "former");
    },
  },
  {
    name: "a URL that asks for https serves https",
    run: async (store) => {
      const url = signed(store, await store.put("bytes"), { protocol: SASProtocol.Https });

      const isSecure = url.startsWith("https:");

      assert.deepEqual(await get(url), isSecure ? [200, null] : [403, "AuthorizationProtocolMismatch"]);
    },
  },
  {
    name: "a URL for another address is refused",
    run: async (store) => {
      const url = signed(store, await store.put("x"), { ipRange: { start: "192.0.2.1" } });

      assert.deepEqual(await get(url), [403, "AuthorizationSourceIPMismatch"]);
    },
  },
  {
    name: "a signature for a container lists and reads in it",
    run: async (store) => {
      const container = await store.newContainer();
      const blob = container.getBlockBlobClient("x");
      await blob.upload("bytes", 5);
      const { search } = new URL(await store.containerSas(container, "rl"));

      const list = await get(`${container.url}${search}&restype=container&comp=list`);

      assert.deepEqual(
        [list, await get(blob.url + search)],
        [
          [200, null],
          [200, null],
        ],
      );
    },
  },
  {
    name: "a signature for a container does not delete the container",
    run: async (store) => {
      const container = await store.newContainer();
      const permissions = ContainerSASPermissions.parse("racwdl");
      const url = await container.generateSasUrl({ permissions, expiresOn: inAMinute() });

      const [status] = await get(`${url}&restype=container`, { method: "DELETE" });

      assert.equal(status, 403);
      assert.equal(await container.exists(), true);
    },
  },
  {
    name: "a signature of an older version is accepted",
    run: async (store) => {
      for (const version of ["2018-11-09", "2020-02-10", "2021-06-08"]) {
        assert.deepEqual(await get(signed(store, await store.put("x"), { version })), [200, null]);
      }
    },
  },
  {
    name: "a signature of the account reads",
    run: async (store) => {
      const blob = await store.put("x");

      assert.deepEqual(await get(accountSigned(store, blob, "r", "o")), [200, null]);
    },
  },
  {
    name: "a signature of the account does only what it names",
    run: async (store) => {
      const blob = await store.put("x");

      const remove = await get(accountSigned(store, blob, "r", "o"), { method: "DELETE" });
      const service = await get(accountSigned(store, blob, "r", "s"));

      assert.deepEqual(remove, [403, "AuthorizationPermissionMismatch"]);
      assert.deepEqual(service, [403, "AuthorizationResourceTypeMismatch"]);
    },
  },
  {
    name: "a user delegation key signs URLs",
    run: async (store) => {
      const url = await delegated(store, await store.put("x"), {});

      assert.deepEqual(await get(url), [200, null]);
    },
  },
  {
    name: "a user delegation key signs URLs of older versions",
    run: async (store) => {
      for (const version of ["2018-11-09", "2020-02-10", "2021-06-08", "2025-07-05"]) {
        assert.deepEqual(await get(await delegated(store, await store.put("x"), { version })), [200, null]);
      }
    },
  },
  {
    name: "a URL of a user delegation key is refused when changed or expired",
    run: async (store) => {
      const blob = await store.put("x");
      const changed = new URL(await delegated(store, blob, {}));
      changed.searchParams.set("sp", "rd");
      const expired = await delegated(store, blob, { expiresOn: new Date(Date.now() - minute) });

      assert.deepEqual(await get(changed.href), [403, "AuthenticationFailed"]);
      assert.deepEqual(await get(expired), [403, "AuthenticationFailed"]);
    },
  },
  {
    name: "an account key is not enough for a user delegation key",
    run: async (store) => {
      const ask = store.service.getUserDelegationKey(new Date(), inAMinute());

      await expectFailure(ask, ["AuthenticationFailed", "AuthorizationFailure", "InvalidAuthenticationInfo"]);
    },
  },
  {
    name: "a user delegation key lives seven days at most",
    run: async (store) => {
      const service = store.serviceWith(store.tokenCredential());

      const ask = service.getUserDelegationKey(new Date(), new Date(Date.now() + 8 * 24 * 60 * minute));

      await expectFailure(ask, ["InvalidInput", "InvalidXmlDocument", "InvalidXmlNodeValue", "OutOfRangeInput"], 400);
    },
  },
];
