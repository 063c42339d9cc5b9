import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { TokenAuthority } from "../azure-identity/tokens.ts";
import { BlobContext } from "./azure-blob/context.ts";
import type { ProbedAccount } from "./azure-blob/context.ts";
import { blobProbes } from "./azure-blob/probes.ts";
import { Ec2Context } from "./ec2/context.ts";
import { ec2Probes } from "./ec2/probes.ts";
import { GcsContext } from "./gcs/context.ts";
import { gcsProbes } from "./gcs/probes.ts";
import { knownShortcomings } from "./known-shortcomings.ts";
import { runProbe } from "./probe.ts";
import type { Outcome, Probe } from "./probe.ts";
import { S3Context } from "./s3/context.ts";
import { s3Probes } from "./s3/probes.ts";

// Runs the probes against any endpoint and prints a line for each. With --expect NAME the exit code is 0 exactly when
// the failures are those known of that server: one that is gone is reported like one that is new.
const { values } = parseArgs({
  options: {
    service: { type: "string" },
    endpoint: { type: "string" },
    "access-key": { type: "string" },
    "secret-key": { type: "string" },
    region: { type: "string", default: "us-east-1" },
    "other-region": { type: "string", default: "eu-west-1" },
    expect: { type: "string" },
    only: { type: "string" },
  },
});

const { service, endpoint, expect, region, "other-region": otherRegion, only = "" } = values;
if (!endpoint) throw new Error("--endpoint URL is required");
const known = expect === undefined ? [] : knownShortcomings(service ?? "", expect);
process.exitCode = report(await probe(endpoint)) ? 0 : 1;

async function probe(endpoint: string): Promise<readonly Outcome[]> {
  if (service === "s3")
    return await runAll(new S3Context({ endpoint, ...readAwsKeys(), region, otherRegion }), s3Probes);
  if (service === "ec2") {
    return await runAll(new Ec2Context({ endpoint, ...readAwsKeys(), region, otherRegion }), ec2Probes);
  }
  if (service === "azure-blob") return await runAll(openBlob(endpoint), blobProbes);
  // A server that is not ours looks at no tokens.
  if (service === "gcs") return await runAll(new GcsContext({ endpoint, projectId: "probes" }), gcsProbes);
  throw new Error("--service s3|ec2|azure-blob|gcs is required");
}

function readAwsKeys(): { readonly accessKeyId: string; readonly secretAccessKey: string } {
  const accessKeyId = values["access-key"] ?? process.env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = values["secret-key"] ?? process.env["AWS_SECRET_ACCESS_KEY"];
  if (!accessKeyId || !secretAccessKey) throw new Error("keys (--access-key, --secret-key or AWS_*) are required");
  return { accessKeyId, secretAccessKey };
}

function openBlob(endpoint: string): BlobContext {
  const list = process.env["PROBE_STORAGE_ACCOUNTS"] ?? "";
  const [main, other, versioned] = list.split(";").map((account): ProbedAccount => {
    const [name = "", key = ""] = account.split(":");
    return { name, key };
  });
  if (main === undefined || other === undefined || versioned === undefined) {
    throw new Error("PROBE_STORAGE_ACCOUNTS with three accounts, NAME:KEY;NAME:KEY;NAME:KEY, is required");
  }
  const file = process.env["PROBE_CA_FILE"];
  const ca = file === undefined ? {} : { ca: readFileSync(file, "utf8") };
  // A server that is not ours cannot check who signed a token, only what it says.
  const tokens = new TokenAuthority();
  return new BlobContext({ endpoint, main, other, versioned, encryptionScope: "probe-scope", tokens, ...ca });
}

async function runAll<Context extends { close(): void }>(
  context: Context,
  probes: readonly Probe<Context>[],
): Promise<readonly Outcome[]> {
  const wanted = probes.filter(({ name }) => name.includes(only));
  const outcomes: Outcome[] = [];
  const left = wanted.values();
  const work = async (): Promise<void> => {
    for (const probe of left) {
      const outcome = await runProbe(probe, context);
      const reason = outcome.reason && `\n       ${outcome.reason}`;
      process.stdout.write(`${outcome.result.padEnd(5)}  ${outcome.name}${reason}\n`);
      outcomes.push(outcome);
    }
  };
  // Most of the time a probe waits; more at once would only measure how the server bears load.
  await Promise.all([work(), work(), work(), work()]);
  context.close();
  return outcomes;
}

/** Prints the sums and what was not expected, and tells whether everything was. */
function report(outcomes: readonly Outcome[]): boolean {
  const failures = new Map(outcomes.filter(({ result }) => result !== "ok").map(({ name, reason }) => [name, reason]));
  const fresh = [...failures].filter(([name]) => !known.includes(name));
  // Also a name that is no probe any more: the table must not outlive what it speaks of.
  const gone = known.filter((name) => name.includes(only) && !failures.has(name));
  const count = (result: Outcome["result"]): number => outcomes.filter((one) => one.result === result).length;
  process.stdout.write(
    `\n${count("ok")} ok, ${count("wrong")} wrong, ${count("error")} error; ${known.length} shortcomings known\n`,
  );
  for (const [name, reason] of fresh) process.stdout.write(`FAIL  ${name}\n      a new failure: ${reason}\n`);
  for (const name of gone) process.stdout.write(`FAIL  ${name}\n      a known shortcoming that is gone\n`);
  const unexpected = fresh.length + gone.length;
  process.stdout.write(`${outcomes.length - fresh.length} passed, ${unexpected} failed\n`);
  return unexpected === 0;
}
