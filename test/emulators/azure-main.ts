import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { azureDefaults } from "./azure-arm/seeds.ts";
import { startAzureArm } from "./azure-arm/start-arm.ts";
import { startAzureBlob } from "./azure-blob/start-azure-blob.ts";
import type { StorageAccountSeed } from "./azure-blob/start-azure-blob.ts";
import { readDiskSeed } from "./azure-disk-seed.ts";
import { takeRegionCommands } from "./region-commands.ts";
import { createThrowawayCertificate } from "./throwaway-certificate.ts";

// The stand-ins of Azure as a program: prints one JSON line once they listen and runs until stdin ends or SIGTERM comes.
// Takes the commands of region-commands.ts on stdin.
const { values } = parseArgs({
  options: {
    state: { type: "string" },
    account: { type: "string", default: "flotilla" },
    // NAME or NAME@REGION.
    "other-account": { type: "string" },
    container: { type: "string", multiple: true, default: [] },
    "other-container": { type: "string", multiple: true, default: [] },
    "resource-group": { type: "string", multiple: true, default: [] },
    disk: { type: "string", multiple: true, default: [] },
    "pending-ms": { type: "string", default: "0" },
  },
});
const { state, account } = values;
if (state === undefined) throw new Error("--state DIR is required: the folder that keeps blobs and disks");
const [accountKey, otherAccountKey] = [randomBytes(64).toString("base64"), randomBytes(64).toString("base64")];
const [otherAccount, otherRegion = azureDefaults.location] = values["other-account"]?.split("@") ?? [];
const tls = createThrowawayCertificate("Azure stand-in");
const arm = await startAzureArm({
  tls,
  stateDir: join(state, "azure-arm"),
  pendingMs: Number(values["pending-ms"]),
  disks: values.disk.map(readDiskSeed),
});
const blob = await startAzureBlob({
  stateDir: join(state, "azure-blob"),
  accounts: [
    { name: account, keys: [accountKey], containers: values.container },
    ...(otherAccount === undefined ? [] : [otherAccountSeed(otherAccount)]),
  ],
  tokens: arm.tokens,
  tls,
  alsoPlain: true,
});
arm.addSubscription({ subscriptionId: azureDefaults.subscriptionId, resourceGroups: values["resource-group"] });
arm.addStorageAccount({ name: account, blobEndpoint: `${blob.accountUrl(account)}/`, keys: [accountKey] });
const facts = {
  ...azureDefaults,
  account,
  accountKey,
  ...(otherAccount === undefined
    ? {}
    : { otherAccount, otherAccountKey, otherRegion, otherBlobOverTls: blob.accountUrl(otherAccount) }),
  blob: blob.plainAccountUrl(account),
  blobOverTls: blob.accountUrl(account),
  arm: arm.url,
  authority: arm.authorityUrl,
  caPem: tls.cert,
  // For a proxy that stands before Resource Manager and must be taken for it.
  caKeyPem: tls.key,
};
process.stdout.write(`${JSON.stringify(facts)}\n`);

const stop = async (): Promise<void> => {
  process.stdin.destroy();
  await Promise.all([blob.close(), arm.close()]);
};
takeRegionCommands(
  {
    lose: (region) => {
      arm.refuseRegion(region);
      blob.loseRegion(region);
    },
    restore: (region) => {
      arm.acceptRegion(region);
      blob.restoreRegion(region);
    },
  },
  () => void stop(),
);
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());

function otherAccountSeed(name: string): StorageAccountSeed {
  return { name, keys: [otherAccountKey], region: otherRegion, containers: values["other-container"] };
}
