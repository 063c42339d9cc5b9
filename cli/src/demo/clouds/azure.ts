import { createHash } from "node:crypto";
import { join } from "node:path";

import { at, sizeGiBOf } from "../../backup-layout/persistent-volume-fields.ts";
import type { DemoCloud } from "../demo-cloud.ts";
import { requireFact } from "../stand-in-facts.ts";
import type { StandInFacts } from "../stand-in-facts.ts";
import { standInFolder } from "../stand-in-folder.ts";

const account = "flotilla";
const otherAccount = "flotillacopies";
const keyLine = "AZURE_STORAGE_ACCOUNT_ACCESS_KEY";
const otherKeyLine = "AZURE_OTHER_STORAGE_ACCOUNT_ACCESS_KEY";
const homeRegion = "eastus";
const otherRegion = "westus2";
// Of the copies, and of the cluster in the other region.
const copiesGroup = "snapshot-copies";
const otherNodes = "other-cluster-nodes";

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
  standIns: ({ state, bucket, copyBucket, pendingMs }) => {
    const other = ["--other-account", `${otherAccount}@${otherRegion}`, "--other-container", copyBucket];
    const groups = [copiesGroup, otherNodes].flatMap((name) => ["--resource-group", name]);
    const own = ["--state", state, "--account", account, "--container", bucket, "--pending-ms", String(pendingMs)];
    return { path: join(standInFolder, "azure-main.ts"), args: [...own, ...other, ...groups] };
  },
  printEndpoints: (facts) => `${requireFact(facts, "blobOverTls")} ${requireFact(facts, "arm")}`,
  locate: (facts) => ({
    credentials: credentialsFile(facts, requireFact(facts, "resourceGroup")),
    config: {
      storageAccount: account,
      storageAccountURI: requireFact(facts, "blobOverTls"),
      storageAccountKeyEnvVar: keyLine,
      caCert: requireFact(facts, "caPem"),
    },
    volumeConfig: computeKeys(facts),
  }),
  regions: {
    lost: homeRegion,
    other: otherRegion,
    copied: (facts, copyBucket) => ({
      config: { copyTo: `azblob://${copyBucket}?${new URLSearchParams(otherAccountKeys(facts)).toString()}` },
      volumeConfig: { incremental: "true", copyToRegions: `${otherRegion}?resourceGroup=${copiesGroup}` },
    }),
    locateElsewhere: (facts) => ({
      credentials: credentialsFile(facts, otherNodes),
      config: { ...otherAccountKeys(facts), caCert: requireFact(facts, "caPem") },
      volumeConfig: {
        ...computeKeys(facts),
        resourceGroup: copiesGroup,
        region: otherRegion,
        zoneMap: `${homeRegion}-1=${otherRegion}-2`,
        defaultZone: `${otherRegion}-3`,
      },
    }),
  },
  objectFile: (state, bucket, key) => {
    const file = createHash("sha256").update(key).digest("hex");
    return join(state, "azure-blob", "azure-blob", "accounts", account, bucket, "blobs", file, "data");
  },
};

const diskId = /\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/disks\/([^/]+)$/i;

function otherAccountKeys(facts: StandInFacts): Record<string, string> {
  return {
    storageAccount: otherAccount,
    storageAccountURI: requireFact(facts, "otherBlobOverTls"),
    storageAccountKeyEnvVar: otherKeyLine,
  };
}

function computeKeys(facts: StandInFacts): Record<string, string> {
  return {
    endpoint: requireFact(facts, "arm"),
    activeDirectoryAuthorityURI: requireFact(facts, "authority"),
    caCert: requireFact(facts, "caPem"),
  };
}

function credentialsFile(facts: StandInFacts, resourceGroup: string): string {
  const lines = {
    AZURE_SUBSCRIPTION_ID: requireFact(facts, "subscriptionId"),
    AZURE_RESOURCE_GROUP: resourceGroup,
    AZURE_TENANT_ID: requireFact(facts, "tenantId"),
    AZURE_CLIENT_ID: requireFact(facts, "clientId"),
    AZURE_CLIENT_SECRET: requireFact(facts, "clientSecret"),
    [keyLine]: requireFact(facts, "accountKey"),
    [otherKeyLine]: requireFact(facts, "otherAccountKey"),
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
