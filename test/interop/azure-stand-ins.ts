import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunningServer } from "./child.ts";
import { rootDir } from "./paths.ts";
import { serveControl } from "./stand-in-control.ts";
import { startStandInProcess } from "./stand-in-process.ts";
import type { ArmTarget, BlobTarget } from "./spec.ts";

const otherResourceGroup = "databases";

/** What the stand-ins of Azure print when they are ready. */
type Ready = Readonly<Record<(typeof facts)[number], string>>;

const facts = [
  "blob",
  "blobOverTls",
  "arm",
  "authority",
  "caPem",
  "account",
  "accountKey",
  "otherAccount",
  "otherAccountKey",
  "tenantId",
  "clientId",
  "clientSecret",
  "subscriptionId",
  "resourceGroup",
  "location",
  "otherRegion",
] as const;

const targetName = "azure-stand-in";
const copyContainer = "interop-copies";

/** Starts our own stand-ins of Blob Storage, Resource Manager and Entra. */
export async function startAzureStandIns(
  dir: string,
): Promise<{ server: RunningServer; blob: BlobTarget; arm: ArmTarget }> {
  const state = join(dir, "azure-stand-ins");
  const program = join(rootDir, "test", "emulators", "azure-main.ts");
  const seed = `name=seed,resourceGroup=${otherResourceGroup}`;
  const { line, tell, stop } = await startStandInProcess(program, [
    "--state",
    state,
    "--other-account=interopother@westus2",
    "--other-container",
    copyContainer,
    "--disk",
    seed,
    "--pending-ms=300",
  ]);
  const control = await serveControl(tell);
  const ready = parseReady(line);
  const caFile = join(dir, "azure-stand-ins.pem");
  await writeFile(caFile, ready.caPem);
  return {
    server: {
      name: "azure-stand-ins",
      endpoint: ready.arm,
      stop: async () => void (await Promise.all([control.close(), stop()])),
    },
    blob: blobTarget(ready, { caFile, control: control.url, dataDir: join(state, "azure-blob", "azure-blob") }),
    arm: armTarget(ready, { caFile, control: control.url }),
  };
}

interface Known {
  readonly caFile: string;
  readonly control: string;
}

function blobTarget(ready: Ready, { caFile, control, dataDir }: Known & { readonly dataDir: string }): BlobTarget {
  const main = { name: ready.account, key: ready.accountKey };
  return {
    name: targetName,
    endpoint: new URL(ready.blobOverTls).origin,
    plainEndpoint: new URL(ready.blob).origin,
    main,
    other: { name: ready.otherAccount, key: ready.otherAccountKey },
    versioned: main,
    caFile,
    capabilities: [
      "authenticates",
      "data-files",
      "tenants",
      "keeps-part-checksums",
      "resumes-uploads",
      "tells-kept-hashes",
      "loses-regions",
    ],
    copies: { regions: [ready.location, ready.otherRegion], bucket: copyContainer, control },
    dataDir,
  };
}

function armTarget(ready: Ready, known: Known): ArmTarget {
  const { tenantId, clientId, clientSecret, subscriptionId, resourceGroup, location } = ready;
  return {
    name: targetName,
    endpoint: ready.arm,
    authority: ready.authority,
    ...known,
    tenantId,
    clientId,
    clientSecret,
    subscriptionId,
    resourceGroup,
    otherResourceGroup,
    location,
    otherLocation: ready.otherRegion,
  };
}

function parseReady(line: string): Ready {
  // The parse edge: what is missing shows here and not in a check.
  const parsed = JSON.parse(line) as Partial<Ready>;
  const missing = facts.filter((name) => !parsed[name]);
  if (missing.length > 0) throw new Error(`the stand-ins said nothing of ${missing.join(", ")}`);
  return parsed as Ready;
}
