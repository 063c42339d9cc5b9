import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePort, runProgram, startServer, type RunningServer } from "./child.ts";
import { versitygw } from "./toolchain.ts";
import type { Keys, S3Target } from "./spec.ts";

const root: Keys = { accessKeyId: "interoproot", secretAccessKey: "interop-root-secret" };
const region = "us-east-1";

/** Starts versitygw on a folder, with two accounts that cannot see each other's bucket. */
export async function startVersitygw(dir: string): Promise<{ server: RunningServer; s3: S3Target }> {
  const dataDir = join(dir, "versitygw", "data");
  const accountsDir = join(dir, "versitygw", "accounts");
  const versionsDir = join(dir, "versitygw", "versions");
  await mkdir(dataDir, { recursive: true });
  await mkdir(versionsDir, { recursive: true });
  await mkdir(accountsDir, { recursive: true });
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // Without --keep-alive it closes the connection after each answer, which no real service does.
  const gatewayArgs = ["--port", `127.0.0.1:${port}`, "--keep-alive", "--quiet"];
  const server = await startServer({
    name: "versitygw",
    command: versitygw.path,
    args: [...gatewayArgs, "--iam-dir", accountsDir, "posix", "--versioning-dir", versionsDir, dataDir],
    env: { ROOT_ACCESS_KEY: root.accessKeyId, ROOT_SECRET_KEY: root.secretAccessKey },
    endpoint,
    logFile: join(dir, "versitygw.log"),
  });
  const tenants = await Promise.all(["north", "south"].map((name) => createTenant(endpoint, name)));
  const s3: S3Target = {
    name: "versitygw",
    endpoint,
    region,
    keys: root,
    bucket: "interop",
    capabilities: [
      "authenticates",
      "data-files",
      "tenants",
      "lists-uploads",
      "tags-uploads",
      "keeps-part-checksums",
      "resumes-uploads",
    ],
    dataDir,
    dataLayout: "key",
    tenants,
  };
  return { server, s3 };
}

async function createTenant(endpoint: string, name: string): Promise<{ keys: Keys; bucket: string }> {
  const keys = { accessKeyId: `tenant${name}`, secretAccessKey: `tenant-${name}-secret` };
  const bucket = `interop-${name}`;
  await admin(
    endpoint,
    "create-user",
    "--access",
    keys.accessKeyId,
    "--secret",
    keys.secretAccessKey,
    "--role",
    "user",
  );
  await admin(endpoint, "create-bucket", "--owner", keys.accessKeyId, "--bucket", bucket);
  return { keys, bucket };
}

async function admin(endpoint: string, ...args: readonly string[]): Promise<void> {
  const { code, output } = await runProgram(versitygw.path, ["admin", ...args], {
    env: {
      ADMIN_ACCESS_KEY: root.accessKeyId,
      ADMIN_SECRET_KEY: root.secretAccessKey,
      ADMIN_ENDPOINT_URL: endpoint,
      ADMIN_REGION: region,
    },
  });
  if (code !== 0) {
    throw new Error(`versitygw admin ${args[0]}: ${output}`);
  }
}
