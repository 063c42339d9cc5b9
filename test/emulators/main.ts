import { parseArgs } from "node:util";

import { Accounts, defaultAccount } from "./accounts.ts";
import { readVolumeSeed } from "./ec2/volume-seed.ts";
import { startEc2 } from "./ec2/start-ec2.ts";
import type { FaultHandle } from "./faults.ts";
import { takeRegionCommands } from "./region-commands.ts";
import { startS3 } from "./s3/start-s3.ts";
import type { BucketSeed } from "./s3/start-s3.ts";

// The stand-ins as a program: prints one JSON line once they listen and runs until stdin ends or SIGTERM comes. Takes
// the commands of region-commands.ts on stdin.
const { values } = parseArgs({
  options: {
    state: { type: "string" },
    "s3-port": { type: "string", default: "0" },
    "ec2-port": { type: "string", default: "0" },
    bucket: { type: "string", multiple: true, default: [] },
    volume: { type: "string", multiple: true, default: [] },
    "pending-ms": { type: "string", default: "0" },
    "sse-c-over-http": { type: "boolean", default: false },
  },
});
const { state } = values;
if (state === undefined) throw new Error("--state DIR is required: the folder that keeps objects and volumes");
const seeds = values.volume.map(readVolumeSeed);
const accounts = new Accounts();
const s3 = await startS3({
  stateDir: state,
  accounts,
  port: Number(values["s3-port"]),
  buckets: values.bucket.map(readBucketSeed),
  allowSseCustomerOverHttp: values["sse-c-over-http"],
});
const ec2 = await startEc2({
  stateDir: state,
  accounts,
  port: Number(values["ec2-port"]),
  pendingMs: Number(values["pending-ms"]),
});
for (const seed of seeds) ec2.addVolume(seed);
process.stdout.write(`${JSON.stringify({ s3: s3.url, ec2: ec2.url, ...defaultAccount, region: "us-east-1" })}\n`);

const stop = async (): Promise<void> => {
  process.stdin.destroy();
  await Promise.all([s3.close(), ec2.close()]);
};
const lostByEc2 = new Map<string, FaultHandle>();
takeRegionCommands(
  {
    lose: (region) => {
      s3.loseRegion(region);
      if (!lostByEc2.has(region)) lostByEc2.set(region, ec2.loseRegion(region));
    },
    restore: (region) => {
      s3.restoreRegion(region);
      lostByEc2.get(region)?.remove();
      lostByEc2.delete(region);
    },
  },
  () => void stop(),
);
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());

/** Reads `NAME` or `NAME@REGION`. */
function readBucketSeed(text: string): BucketSeed {
  const [name = "", region] = text.split("@");
  return region === undefined ? { name } : { name, region };
}
