import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import { freePort, startServer, type RunningServer } from "./child.ts";
import { azurite } from "./toolchain.ts";
import type { BlobTarget, StorageAccountKeys } from "./spec.ts";

/** Starts Azurite over HTTPS, which bearer tokens need, with three accounts whose data ends with it. */
export async function startAzurite(dir: string): Promise<{ server: RunningServer; blob: BlobTarget }> {
  const home = join(dir, "azurite");
  await mkdir(home, { recursive: true });
  const certificate = createThrowawayCertificate("interop of Azure Blob");
  const [caFile, keyFile] = [join(home, "cert.pem"), join(home, "key.pem")];
  await writeFile(caFile, certificate.cert);
  await writeFile(keyFile, certificate.key, { mode: 0o600 });
  setDefaultCACertificates([...getCACertificates(), certificate.cert]);
  const port = await freePort();
  const endpoint = `https://127.0.0.1:${port}`;
  const accounts = ["interop", "interopother", "interopversions"].map(newAccount);
  const [main, other, versioned] = accounts;
  if (main === undefined || other === undefined || versioned === undefined)
    throw new Error("three accounts are needed");
  // Without the skip it refuses the versions of the newest SDKs.
  const manner = ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"];
  const place = ["--blobHost", "127.0.0.1", "--blobPort", String(port)];
  const security = ["--cert", caFile, "--key", keyFile, "--oauth", "basic"];
  const server = await startServer({
    name: "azurite",
    command: process.execPath,
    args: [azurite.path, ...place, ...manner, ...security],
    env: {
      AZURITE_ACCOUNTS: accounts.map(({ name, key }) => `${name}:${key}`).join(";"),
      // It fetches the source of a copy between accounts from itself.
      NODE_EXTRA_CA_CERTS: caFile,
    },
    endpoint,
    logFile: join(dir, "azurite.log"),
  });
  return { server, blob: { name: "azurite", endpoint, main, other, versioned, caFile } };
}

function newAccount(name: string): StorageAccountKeys {
  return { name, key: randomBytes(64).toString("base64") };
}
