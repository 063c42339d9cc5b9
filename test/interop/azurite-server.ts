import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import type { ThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import { freePort, startServer, type RunningServer } from "./child.ts";
import { azurite } from "./toolchain.ts";
import type { BlobTarget, StorageAccountKeys } from "./spec.ts";

/** How to start one Azurite. */
export interface AzuriteOptions {
  /** Where certificate, log and, if wanted, data go. */
  readonly dir: string;
  readonly accounts: readonly StorageAccountKeys[];
  /** Over HTTPS with this certificate, and with bearer tokens; plain HTTP without. */
  readonly certificate?: ThrowawayCertificate;
  /** Whether data is kept on disk instead of in memory. */
  readonly onDisk?: boolean;
}

/** Starts Azurite. */
export async function startAzurite(options: AzuriteOptions): Promise<RunningServer> {
  const { dir, accounts, certificate, onDisk = false } = options;
  const name = certificate === undefined ? "azurite" : "azurite-tls";
  const home = join(dir, name);
  await mkdir(home, { recursive: true });
  const port = await freePort();
  const [caFile, keyFile] = [join(home, "cert.pem"), join(home, "key.pem")];
  if (certificate !== undefined) {
    await writeFile(caFile, certificate.cert);
    await writeFile(keyFile, certificate.key, { mode: 0o600 });
    setDefaultCACertificates([...getCACertificates(), certificate.cert]);
  }
  // Without the skip it refuses the versions of the newest SDKs.
  const manner = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"];
  const place = ["--blobHost", "127.0.0.1", "--blobPort", String(port)];
  const store = onDisk ? ["--location", join(home, "data")] : ["--inMemoryPersistence"];
  const security = certificate === undefined ? [] : ["--cert", caFile, "--key", keyFile, "--oauth", "basic"];
  return await startServer({
    name,
    command: process.execPath,
    args: [azurite.path, ...place, ...manner, ...store, ...security],
    env: {
      AZURITE_ACCOUNTS: accounts.map(({ name, key }) => `${name}:${key}`).join(";"),
      // It fetches the source of a copy between accounts from itself.
      ...(certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: caFile }),
    },
    endpoint: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    logFile: join(dir, `${name}.log`),
  });
}

/** Starts two with the same accounts, over HTTPS, which bearer tokens and signed URLs need, and over plain HTTP, which faults need. */
export async function startAzuritePair(dir: string): Promise<{ server: RunningServer; blob: BlobTarget }> {
  const certificate = createThrowawayCertificate("interop of Azure Blob");
  const [main, other, versioned] = ["interop", "interopother", "interopversions"].map(newStorageAccount);
  if (main === undefined || other === undefined || versioned === undefined)
    throw new Error("three accounts are needed");
  const accounts = [main, other, versioned];
  const [secure, plain] = await Promise.all([
    startAzurite({ dir, accounts, certificate }),
    startAzurite({ dir, accounts }),
  ]);
  return {
    server: { ...secure, stop: async () => void (await Promise.all([secure.stop(), plain.stop()])) },
    blob: {
      name: "azurite",
      endpoint: secure.endpoint,
      plainEndpoint: plain.endpoint,
      main,
      other,
      versioned,
      caFile: join(dir, "azurite-tls", "cert.pem"),
      capabilities: ["authenticates", "tenants", "keeps-part-checksums", "resumes-uploads"],
    },
  };
}

/** An account of this name with a key of its own. */
export function newStorageAccount(name: string): StorageAccountKeys {
  return { name, key: randomBytes(64).toString("base64") };
}
