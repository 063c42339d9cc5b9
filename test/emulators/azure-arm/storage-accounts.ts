import { createHash } from "node:crypto";

import { notFound } from "./call.ts";
import type { Call, Handler } from "./call.ts";
import { formatId, keyOf } from "./resource-id.ts";
import type { StorageAccount } from "./state.ts";

/** StorageAccounts_GetProperties. */
export const getStorageAccount: Handler = (call) => {
  const { id, location, blobEndpoint } = find(call);
  return {
    status: 200,
    body: {
      sku: { name: "Standard_LRS", tier: "Standard" },
      kind: "StorageV2",
      id: formatId(id),
      name: id.name,
      type: "Microsoft.Storage/storageAccounts",
      location,
      tags: {},
      properties: {
        allowBlobPublicAccess: false,
        allowSharedKeyAccess: true,
        supportsHttpsTrafficOnly: true,
        accessTier: "Hot",
        primaryEndpoints: { blob: blobEndpoint },
        primaryLocation: location,
        provisioningState: "Succeeded",
        statusOfPrimary: "available",
      },
    },
  };
};

/** StorageAccounts_ListKeys; with `$expand=kerb` also the keys of Kerberos, which no client of blobs can use. */
export const listStorageKeys: Handler = (call) => {
  const { id, keys } = find(call);
  const plain = keys.map(({ value, permissions }, index) => ({ keyName: `key${index + 1}`, value, permissions }));
  const kerberos = [1, 2].map((number) => ({
    keyName: `kerb${number}`,
    value: createHash("sha512")
      .update(`${keyOf(id)} kerb${number}`)
      .digest("base64"),
    permissions: "FULL",
  }));
  return { status: 200, body: { keys: call.query.get("$expand") === "kerb" ? [...plain, ...kerberos] : plain } };
};

function find(call: Call): StorageAccount {
  const account = call.state.storageAccounts.get(keyOf(call.id));
  if (account === undefined) throw notFound(call.id);
  call.regions.check(account.location);
  return account;
}
