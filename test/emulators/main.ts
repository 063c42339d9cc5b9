import { parseArgs } from "node:util";

import { Accounts, defaultAccount } from "./accounts.ts";
import { readVolumeSeed } from "./ec2/volume-seed.ts";
import { startEc2 } from "./ec2/start-ec2.ts";
import { startS3 } from "./s3/start-s3.ts";

// The stand-ins as a program: prints one JSON line once they listen and runs until stdin ends or SIGTERM comes.
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
  buckets: values.bucket,
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
process.stdin.resume();
process.stdin.once("end", () => void stop());
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());
