import { parseArgs } from "node:util";

import { Ec2Context } from "./ec2/context.ts";
import { ec2Probes } from "./ec2/probes.ts";
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

const { service, endpoint, expect } = values;
const accessKeyId = values["access-key"] ?? process.env["AWS_ACCESS_KEY_ID"];
const secretAccessKey = values["secret-key"] ?? process.env["AWS_SECRET_ACCESS_KEY"];
if ((service !== "s3" && service !== "ec2") || !endpoint || !accessKeyId || !secretAccessKey) {
  throw new Error("--service s3|ec2, --endpoint URL and keys (--access-key, --secret-key or AWS_*) are required");
}
const known = expect === undefined ? [] : knownShortcomings(service, expect);
const { region, "other-region": otherRegion, only = "" } = values;
const target = { endpoint, accessKeyId, secretAccessKey, region, otherRegion };
const outcomes =
  service === "s3" ? await runAll(new S3Context(target), s3Probes) : await runAll(new Ec2Context(target), ec2Probes);
process.exitCode = report(outcomes) ? 0 : 1;

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
  const failed = outcomes.filter(({ result }) => result !== "ok").map(({ name }) => name);
  const fresh = failed.filter((name) => !known.includes(name));
  // Also a name that is no probe any more: the table must not outlive what it speaks of.
  const gone = known.filter((name) => name.includes(only) && !failed.includes(name));
  const count = (result: Outcome["result"]): number => outcomes.filter((one) => one.result === result).length;
  process.stdout.write(
    `\n${count("ok")} ok, ${count("wrong")} wrong, ${count("error")} error; ${known.length} shortcomings known\n`,
  );
  for (const name of fresh) process.stdout.write(`new failure: ${name}\n`);
  for (const name of gone) process.stdout.write(`known shortcoming is gone: ${name}\n`);
  const unexpected = fresh.length + gone.length;
  process.stdout.write(`${outcomes.length - fresh.length} passed, ${unexpected} failed\n`);
  return unexpected === 0;
}
