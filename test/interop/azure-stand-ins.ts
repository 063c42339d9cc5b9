import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunningServer } from "./child.ts";
import { rootDir } from "./paths.ts";
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
] as const;

/** Starts our own stand-ins of Blob Storage, Resource Manager and Entra. */
export async function startAzureStandIns(
  dir: string,
): Promise<{ server: RunningServer; blob: BlobTarget; arm: ArmTarget }> {
  const state = join(dir, "azure-stand-ins");
  const program = join(rootDir, "test", "emulators", "azure-main.ts");
  const seed = `name=seed,resourceGroup=${otherResourceGroup}`;
  const { line, stop } = await startStandInProcess(program, [
    "--state",
    state,
    "--other-account=interopother",
    "--disk",
    seed,
    "--pending-ms=300",
  ]);
  const ready = parseReady(line);
  const caFile = join(dir, "azure-stand-ins.pem");
  await writeFile(caFile, ready.caPem);
  const { tenantId, clientId, clientSecret, subscriptionId, resourceGroup, location } = ready;
  const main = { name: ready.account, key: ready.accountKey };
  const name = "azure-stand-in";
  return {
    server: { name: "azure-stand-ins", endpoint: ready.arm, stop },
    blob: {
      name,
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
      ],
      dataDir: join(state, "azure-blob", "azure-blob"),
    },
    arm: {
      name,
      endpoint: ready.arm,
      authority: ready.authority,
      caFile,
      tenantId,
      clientId,
      clientSecret,
      subscriptionId,
      resourceGroup,
      otherResourceGroup,
      location,
    },
  };
}

function parseReady(line: string): Ready {
  // The parse edge: what is missing shows here and not in a check.
  const parsed = JSON.parse(line) as Partial<Ready>;
  const missing = facts.filter((name) => !parsed[name]);
  if (missing.length > 0) throw new Error(`the stand-ins said nothing of ${missing.join(", ")}`);
  return parsed as Ready;
}
