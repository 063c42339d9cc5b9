import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { TokenAuthority } from "../azure-identity/tokens.ts";
import { BlobContext } from "../probes/azure-blob/context.ts";
import type { ProbedAccount } from "../probes/azure-blob/context.ts";
import { createThrowawayCertificate } from "../throwaway-certificate.ts";
import { startAzureBlob } from "./start-azure-blob.ts";
import type { AzureBlobOptions, AzureBlobStandIn } from "./start-azure-blob.ts";
import type { StorageAccount } from "./state.ts";

/** How a stand-in for tests differs from the usual one. */
export interface ProbedOptions extends Partial<Omit<AzureBlobOptions, "accounts" | "tls" | "tokens">> {
  /** What the main account has beside its name and key. */
  readonly main?: Omit<StorageAccount, "name" | "keys">;
}

/** A stand-in with a client; disposing ends it and removes what it stored, unless the folder was given. */
export interface ProbedStandIn extends AsyncDisposable {
  readonly blob: AzureBlobStandIn;
  readonly context: BlobContext;
}

const certificate = createThrowawayCertificate("probes of Azure Blob");
const newAccount = (name: string): ProbedAccount => ({ name, key: randomBytes(64).toString("base64") });
const accounts = {
  main: newAccount("probesmain"),
  other: newAccount("probesother"),
  versioned: newAccount("probesversions"),
};
const tokens = new TokenAuthority();
const encryptionScope = "probe-scope";

/** Starts a stand-in over HTTPS with the accounts that the probes need; all of one process have the same keys. */
export async function startProbed(options: ProbedOptions = {}): Promise<ProbedStandIn> {
  const { stateDir = await mkdtemp(join(tmpdir(), "azure-blob-")), main, ...rest } = options;
  const versions = [{ name: "immutable", isImmutable: true }];
  const blob = await startAzureBlob({
    ...rest,
    stateDir,
    tls: certificate,
    tokens,
    accounts: [
      { name: accounts.main.name, keys: [accounts.main.key], encryptionScopes: [encryptionScope], ...main },
      { name: accounts.other.name, keys: [accounts.other.key] },
      { name: accounts.versioned.name, keys: [accounts.versioned.key], isVersioned: true, containers: versions },
    ],
  });
  const context = new BlobContext({ endpoint: blob.url, ...accounts, encryptionScope, tokens, ca: certificate.cert });
  return {
    blob,
    context,
    [Symbol.asyncDispose]: async () => {
      context.close();
      blob.faults.clear();
      await blob.close();
      if (options.stateDir === undefined) await rm(stateDir, { recursive: true });
    },
  };
}
