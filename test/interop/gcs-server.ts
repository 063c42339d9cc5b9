import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { freePort, startServer } from "./child.ts";
import type { RunningServer } from "./child.ts";
import type { GcsTarget } from "./spec.ts";
import { fakeGcsServer } from "./toolchain.ts";

/** What a client of the started server needs. */
export interface GcsServer {
  readonly server: RunningServer;
  /** Of the JSON API, as the key `storeEndpoint` wants it. */
  readonly endpoint: string;
  /** A service account's key file, in JSON, whose tokens a server beside it hands out. */
  readonly credentials: string;
}

/** How to start it. */
export interface FakeGcsOptions {
  /** Whether data is kept on disk instead of in memory. */
  readonly onDisk?: boolean;
}

/** Starts fake-gcs-server with these buckets, and what hands out the tokens that it does not look at. */
export async function startFakeGcs(
  dir: string,
  buckets: readonly string[],
  { onDisk = false }: FakeGcsOptions = {},
): Promise<GcsServer> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const address = ["-scheme", "http", "-host", "127.0.0.1", "-port", String(port)];
  // Without a port it takes requests under any, as they come through a proxy.
  const names = ["-public-host", "127.0.0.1", "-external-url", origin];
  const store = onDisk
    ? ["-backend", "filesystem", "-filesystem-root", join(dir, "fake-gcs-server")]
    : ["-backend", "memory"];
  const gcs = await startServer({
    name: "fake-gcs-server",
    command: fakeGcsServer.path,
    args: [...address, ...names, ...store],
    endpoint: `${origin}/storage/v1/b`,
    logFile: join(dir, "fake-gcs-server.log"),
  });
  for (const name of buckets) {
    const response = await fetch(`${origin}/storage/v1/b?project=conformance`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name }),
    });
    if (!response.ok) throw new Error(`fake-gcs-server refused the bucket ${name}: ${await response.text()}`);
  }
  const tokens = await startTokenServer();
  const server = {
    ...gcs,
    stop: async (): Promise<void> => {
      tokens.close();
      await gcs.stop();
    },
  };
  return { server, endpoint: `${origin}/storage/v1/`, credentials: serviceAccount(tokens.url) };
}

/** Starts fake-gcs-server for the checks. */
export async function startFakeGcsTarget(dir: string): Promise<{ server: RunningServer; gcs: GcsTarget }> {
  const { server, endpoint, credentials } = await startFakeGcs(dir, []);
  const gcs: GcsTarget = {
    name: "fake-gcs",
    endpoint: new URL(endpoint).origin,
    project: "conformance",
    bucket: "interop",
    credentials,
    capabilities: ["keeps-part-checksums"],
    routesByHost: true,
  };
  return { server, gcs };
}

async function startTokenServer(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ access_token: "conformance", token_type: "Bearer", expires_in: 3600 }));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/token`, close };
}

function serviceAccount(tokenUri: string): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return JSON.stringify({
    type: "service_account",
    project_id: "conformance",
    private_key_id: "throw-away",
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    client_email: "conformance@conformance.iam.gserviceaccount.com",
    client_id: "1",
    token_uri: tokenUri,
  });
}
