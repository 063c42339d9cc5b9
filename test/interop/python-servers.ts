import { join } from "node:path";
import { freePort, startServer, type RunningServer } from "./child.ts";
import { pythonServers } from "./toolchain.ts";
import type { Ec2Target, S3Target } from "./spec.ts";

/** Starts moto, which speaks S3 and EC2 and checks no signature. */
export async function startMoto(dir: string): Promise<{ server: RunningServer; s3: S3Target; ec2: Ec2Target }> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: "moto",
    command: pythonServers.moto,
    args: ["-H", "127.0.0.1", "-p", String(port)],
    // The public snapshots that it loads otherwise cost seconds and are of no use here.
    env: { MOTO_EC2_LOAD_DEFAULT_AMIS: "false" },
    endpoint,
    logFile: join(dir, "moto.log"),
  });
  const keys = { accessKeyId: "moto", secretAccessKey: "moto-secret" };
  const s3: S3Target = {
    name: "moto",
    endpoint,
    region: "us-east-1",
    keys,
    bucket: "interop",
    capabilities: ["tags-uploads", "resumes-uploads"],
  };
  const ec2: Ec2Target = { name: "moto", endpoint, keys, regions: ["us-east-1", "eu-west-1"], capabilities: [] };
  return { server, s3, ec2 };
}

/** Starts ministack, which checks signatures of signed URLs only. */
export async function startMinistack(dir: string): Promise<{ server: RunningServer; s3: S3Target }> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: "ministack",
    command: pythonServers.ministack,
    args: [],
    env: { GATEWAY_PORT: String(port), BIND_HOST: "127.0.0.1" },
    endpoint,
    logFile: join(dir, "ministack.log"),
  });
  const s3: S3Target = {
    name: "ministack",
    endpoint,
    region: "us-east-1",
    keys: { accessKeyId: "test", secretAccessKey: "test" },
    bucket: "interop",
    capabilities: ["lists-uploads", "resumes-uploads"],
  };
  return { server, s3 };
}
