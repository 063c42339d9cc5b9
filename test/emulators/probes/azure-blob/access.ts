import assert from "node:assert/strict";

import { StorageSharedKeyCredential } from "@azure/storage-blob";
import type { BlockBlobClient } from "@azure/storage-blob";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import { collect, get, readAll } from "./context.ts";
import type { BlobContext } from "./context.ts";

const minute = 60_000;

/** Signs a GET as the documentation says and tells how it is answered. */
async function getSigned(
  store: BlobContext,
  blob: BlockBlobClient,
  options: { readonly date?: Date; readonly version?: string },
): Promise<readonly [number, string | null]> {
  const { name } = store.target.main;
  const date = (options.date ?? new Date()).toUTCString();
  const version = options.version ?? "2024-11-04";
  const own = `x-ms-date:${date}\nx-ms-version:${version}\n`;
  const text = `GET${"\n".repeat(12)}${own}/${name}${new URL(blob.url).pathname}`;
  const authorization = `SharedKey ${name}:${store.credential.computeHMACSHA256(text)}`;
  return await get(blob.url, { headers: { authorization, "x-ms-date": date, "x-ms-version": version } });
}

/** Who may do what: account keys and tokens. */
export const accessProbes: readonly Probe<BlobContext>[] = [
  {
    name: "a wrong key is AuthenticationFailed",
    run: async (store) => {
      const { name } = store.target.main;
      const service = store.serviceWith(new StorageSharedKeyCredential(name, Buffer.alloc(64).toString("base64")));

      await expectFailure(service.getContainerClient(store.name()).create(), "AuthenticationFailed", 403);
    },
  },
  {
    name: "a request without any proof is refused",
    run: async (store) => {
      const blob = await store.put("x");

      const [status] = await get(blob.url, { headers: { "x-ms-version": "2024-11-04" } });

      assert.ok([401, 403, 404, 409].includes(status), `got ${status}`);
    },
  },
  {
    name: "a request that was signed an hour ago is refused",
    run: async (store) => {
      const blob = await store.put("x");

      assert.deepEqual(await getSigned(store, blob, { date: new Date(Date.now() - 60 * minute) }), [
        403,
        "AuthenticationFailed",
      ]);
    },
  },
  {
    name: "a request signed by the documentation's words is accepted",
    run: async (store) => {
      const blob = await store.put("x");

      assert.deepEqual(await getSigned(store, blob, {}), [200, null]);
    },
  },
  {
    name: "an API version from the future is refused",
    run: async (store) => {
      const blob = await store.put("x");

      assert.deepEqual(await getSigned(store, blob, { version: "2099-01-01" }), [400, "InvalidHeaderValue"]);
    },
  },
  {
    name: "a token of Entra's reads and writes",
    run: async (store) => {
      const service = store.serviceWith(store.tokenCredential());
      const { containerName, name } = await store.blob();
      const blob = service.getContainerClient(containerName).getBlockBlobClient(name);

      await blob.upload("bytes", 5);

      assert.equal(await readAll(blob), "bytes");
    },
  },
  {
    name: "a token for another audience is refused",
    run: async (store) => {
      const service = store.serviceWith(store.tokenCredential("https://vault.azure.net/"));

      const list = collect(service.listContainers());

      await expectFailure(list, ["InvalidAuthenticationInfo", "AuthenticationFailed"]);
    },
  },
  {
    name: "an expired token is refused",
    run: async (store) => {
      const service = store.serviceWith(store.tokenCredential("https://storage.azure.com/", -minute));

      const list = collect(service.listContainers());

      await expectFailure(list, ["InvalidAuthenticationInfo", "AuthenticationFailed"]);
    },
  },
];
