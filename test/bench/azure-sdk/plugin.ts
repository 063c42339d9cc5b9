#!/usr/bin/env node
import { readFile } from "node:fs/promises";
import { defineObjectStore, PluginError, text } from "@flotilla/sdk/plugin";
import { serve } from "@flotilla/sdk/server";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";

import { SdkObjectStore } from "./object-store.ts";

// What the benchmark compares with where the official plugin is not at hand: Azure's SDK for Node as the official plugin
// uses its own. It verifies nothing and is not for keeping backups.
const accountKeys = {
  storageAccount: text("The account.", { required: true }),
  storageAccountURI: text("Its endpoint.", { required: true }),
  storageAccountKeyEnvVar: text("The line of the credentials file that holds its key.", { required: true }),
  credentialsFile: text("The credentials file.", { required: true, origin: "server" }),
};

await serve({
  name: "azure-sdk",
  version: "0.0.0",
  implementations: [
    defineObjectStore({
      name: "velero.io/azure",
      config: {
        keys: {
          bucket: text("The container.", { required: true, origin: "server" }),
          prefix: text("What every key begins with.", { origin: "server" }),
          ...accountKeys,
        },
      },
      open: async ({ storageAccount, storageAccountURI, storageAccountKeyEnvVar, credentialsFile }, { signal }) => {
        const lines = await readFile(credentialsFile, { encoding: "utf8", signal });
        const line = lines.split("\n").find((one) => one.startsWith(`${storageAccountKeyEnvVar}=`));
        if (line === undefined)
          throw new PluginError(`${credentialsFile} has no line ${storageAccountKeyEnvVar}`, {
            kind: "invalid-config",
          });
        const key = line.slice(storageAccountKeyEnvVar.length + 1);
        const credential = new StorageSharedKeyCredential(storageAccount, key);
        return new SdkObjectStore(new BlobServiceClient(storageAccountURI, credential));
      },
    }),
  ],
});
