import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { S3Context } from "./probes/s3/context.ts";
import { s3Probes } from "./probes/s3/probes.ts";
import { startS3 } from "./s3/start-s3.ts";

const stateDir = await mkdtemp(join(tmpdir(), "s3-probes-"));
const accessKeyId = "AKIAPROBES";
const secretAccessKey = "probes-secret";
const s3 = await startS3({
  stateDir,
  accounts: [{ accessKeyId, secretAccessKey }],
  allowSseCustomerOverHttp: true,
});
const target = { endpoint: s3.url, accessKeyId, secretAccessKey, region: "us-east-1", otherRegion: "eu-west-1" };
const context = new S3Context(target);
after(async () => {
  context.close();
  await s3.close();
  await rm(stateDir, { recursive: true });
});

describe("the S3 stand-in", { concurrency: 8 }, () => {
  for (const probe of s3Probes) test(probe.name, () => probe.run(context));
});
