import { join } from "node:path";
import { runProgram } from "./child.ts";
import { rootDir } from "./paths.ts";
import { readTally, type Tally } from "./tally.ts";
import type { Servers } from "./servers.ts";
import type { BlobTarget, Keys } from "./spec.ts";

/** moto serves S3 for the checks, but as a judge of how S3 behaves it stands behind the other two. */
const noJudgesOfS3: readonly string[] = ["moto"];

/**
 * Runs the probes of the stand-ins against every server: what an independent server does shows that a probe asks for the
 * right thing, and its known shortcomings are listed beside the probes.
 */
export async function runProbes(servers: Servers): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (const { name, endpoint, keys } of servers.s3.filter((server) => !noJudgesOfS3.includes(server.name))) {
    tallies.push(await probe("s3", name, endpoint, keys));
  }
  for (const { name, endpoint, keys } of servers.ec2) {
    tallies.push(await probe("ec2", name, endpoint, keys));
  }
  // Our own stand-ins are probed by npm test.
  for (const target of servers.blob.filter(({ name }) => name === "azurite")) tallies.push(await probeBlob(target));
  for (const { name, endpoint } of servers.gcs.filter((server) => server.name === "fake-gcs")) {
    tallies.push(await run("gcs", name, endpoint, {}));
  }
  return tallies;
}

async function probeBlob({ name, endpoint, main, other, versioned, caFile }: BlobTarget): Promise<Tally> {
  const accounts = [main, other, versioned].map((account) => `${account.name}:${account.key}`);
  return await run("azure-blob", name, endpoint, {
    PROBE_STORAGE_ACCOUNTS: accounts.join(";"),
    PROBE_CA_FILE: caFile,
  });
}

async function probe(service: "s3" | "ec2", name: string, endpoint: string, keys: Keys): Promise<Tally> {
  const { accessKeyId, secretAccessKey } = keys;
  return await run(service, name, endpoint, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
}

async function run(
  service: string,
  name: string,
  endpoint: string,
  env: Readonly<Record<string, string>>,
): Promise<Tally> {
  const program = join(rootDir, "test", "emulators", "probes", "main.ts");
  const args = ["--service", service, "--endpoint", endpoint, "--expect", name];
  process.stdout.write(`probes of ${service} against ${name}\n`);
  const { code, output } = await runProgram(process.execPath, [program, ...args], {
    echo: true,
    env,
  });
  return readTally(output, code);
}
