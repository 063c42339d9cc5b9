import { createHash } from "node:crypto";
import { join } from "node:path";

import { at, sizeGiBOf } from "../../backup-layout/persistent-volume-fields.ts";
import type { DemoCloud } from "../demo-cloud.ts";
import { requireFact } from "../stand-in-facts.ts";
import type { StandInFacts } from "../stand-in-facts.ts";
import { standInFolder } from "../stand-in-folder.ts";

const account = "flotilla";

/** Blob Storage and managed disks. */
export const azureDemoCloud: DemoCloud = {
  provider: "azure",
  services: "Azure Blob, Resource Manager and Entra",
  printObject: (bucket, key) => `https://${account}.blob.core.windows.net/${bucket}/${key}`,
  ownsVariable: (name) => name.startsWith("AZURE_"),
  volumeOf: (volume, zone) => {
    const handle = at(volume, "spec", "csi", "volumeHandle") ?? at(volume, "spec", "azureDisk", "diskURI");
    const match = typeof handle === "string" ? diskId.exec(handle) : null;
    if (match === null) return undefined;
    const [id, resourceGroup = "", name = ""] = match;
    // The cloud's name of a zone is its last part: `eastus-1`.
    const number = /-(\d)$/.exec(zone)?.[1];
    const zoned = number === undefined ? "" : `,zone=${number}`;
    const seed = `name=${name},resourceGroup=${resourceGroup},sku=Premium_LRS,sizeGiB=${sizeGiBOf(volume)}${zoned}`;
    return { id: id.toLowerCase(), args: ["--disk", seed] };
  },
  standIns: ({ state, bucket, pendingMs }) => ({
    path: join(standInFolder, "azure-main.ts"),
    args: ["--state", state, "--account", account, "--container", bucket, "--pending-ms", String(pendingMs)],
  }),
  printEndpoints: (facts) => `${requireFact(facts, "blob")} ${requireFact(facts, "arm")}`,
  locate: (facts) => ({
    credentials: credentialsFile(facts),
    config: {
      storageAccount: account,
      storageAccountURI: requireFact(facts, "blob"),
      storageAccountKeyEnvVar: "AZURE_STORAGE_ACCOUNT_ACCESS_KEY",
    },
    volumeConfig: {
      endpoint: requireFact(facts, "arm"),
      activeDirectoryAuthorityURI: requireFact(facts, "authority"),
      caCert: requireFact(facts, "caPem"),
    },
  }),
  objectFile: (state, bucket, key) => {
    const file = createHash("sha256").update(key).digest("hex");
    return join(state, "azure-blob", "azure-blob", "accounts", account, bucket, "blobs", file, "data");
  },
};

const diskId = /\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/disks\/([^/]+)$/i;

function credentialsFile(facts: StandInFacts): string {
  const lines = {
    AZURE_SUBSCRIPTION_ID: "subscriptionId",
    AZURE_RESOURCE_GROUP: "resourceGroup",
    AZURE_TENANT_ID: "tenantId",
    AZURE_CLIENT_ID: "clientId",
    AZURE_CLIENT_SECRET: "clientSecret",
    AZURE_STORAGE_ACCOUNT_ACCESS_KEY: "accountKey",
  };
  return Object.entries(lines)
    .map(([name, fact]) => `${name}=${requireFact(facts, fact)}\n`)
    .join("");
}
