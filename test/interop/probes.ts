import { join } from "node:path";
import { runProgram } from "./child.ts";
import { rootDir } from "./paths.ts";
import { readTally, type Tally } from "./tally.ts";
import type { Servers } from "./servers.ts";
import type { BlobTarget, Keys } from "./spec.ts";

/** moto serves S3 for the checks, but as a judge of how S3 behaves it stands behind the other two. */
const noJudgesOfS3: readonly string[] = ["moto"];

/** A cloud whose servers are probed. */
export type ProbedCloud = "aws" | "azure" | "gcp";

/**
 * Runs the probes of the stand-ins against every server of a cloud: what an independent server does shows that a probe
 * asks for the right thing, and its known shortcomings are listed beside the probes.
 */
export async function runProbes(cloud: ProbedCloud, servers: Servers): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (const probe of probesOf[cloud](servers)) tallies.push(await probe());
  return tallies;
}

const probesOf: Readonly<Record<ProbedCloud, (servers: Servers) => readonly (() => Promise<Tally>)[]>> = {
  aws: ({ s3, ec2 }) => [
    ...s3
      .filter(({ name }) => !noJudgesOfS3.includes(name))
      .map(
        ({ name, endpoint, keys }) =>
          async () =>
            await probe("s3", name, endpoint, keys),
      ),
    ...ec2.map(
      ({ name, endpoint, keys }) =>
        async () =>
          await probe("ec2", name, endpoint, keys),
    ),
  ],
  // Our own stand-ins are probed by npm test.
  azure: ({ blob }) =>
    blob.filter(({ name }) => name === "azurite").map((target) => async () => await probeBlob(target)),
  gcp: ({ gcs }) =>
    gcs
      .filter(({ name }) => name === "fake-gcs")
      .map(
        ({ name, endpoint }) =>
          async () =>
            await run("gcs", name, endpoint, {}),
      ),
};

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
