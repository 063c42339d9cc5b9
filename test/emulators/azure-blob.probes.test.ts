import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { startAzureBlob } from "./azure-blob/start-azure-blob.ts";
import { TokenAuthority } from "./azure-identity/tokens.ts";
import { BlobContext } from "./probes/azure-blob/context.ts";
import { blobProbes } from "./probes/azure-blob/probes.ts";
import { createThrowawayCertificate } from "./throwaway-certificate.ts";

const stateDir = await mkdtemp(join(tmpdir(), "azure-blob-probes-"));
const newAccount = (name: string): { name: string; key: string } => ({
  name,
  key: randomBytes(64).toString("base64"),
});
const [main, other, versioned] = [newAccount("probesmain"), newAccount("probesother"), newAccount("probesversions")];
const tokens = new TokenAuthority();
const certificate = createThrowawayCertificate("probes of Azure Blob");
const blob = await startAzureBlob({
  stateDir,
  tls: certificate,
  tokens,
  accounts: [
    { name: main.name, keys: [main.key], encryptionScopes: ["probe-scope"] },
    { name: other.name, keys: [other.key] },
    {
      name: versioned.name,
      keys: [versioned.key],
      isVersioned: true,
      containers: [{ name: "immutable", isImmutable: true }],
    },
  ],
});
const target = { endpoint: blob.url, main, other, versioned, encryptionScope: "probe-scope", tokens };
const context = new BlobContext({ ...target, ca: certificate.cert });
after(async () => {
  context.close();
  await blob.close();
  await rm(stateDir, { recursive: true });
});

describe("the Azure Blob stand-in", { concurrency: 8 }, () => {
  for (const probe of blobProbes) test(probe.name, () => probe.run(context));
});
