import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { startEc2 } from "./ec2/start-ec2.ts";
import { Ec2Context } from "./probes/ec2/context.ts";
import { ec2Probes } from "./probes/ec2/probes.ts";

const stateDir = await mkdtemp(join(tmpdir(), "ec2-probes-"));
const account = { accessKeyId: "AKIAPROBES", secretAccessKey: "probes-secret" };
const ec2 = await startEc2({ stateDir, accounts: [account], pendingMs: 30 });
const context = new Ec2Context({ endpoint: ec2.url, ...account, region: "us-east-1", otherRegion: "eu-west-1" });
after(async () => {
  context.close();
  await ec2.close();
  await rm(stateDir, { recursive: true });
});

describe("the EC2 stand-in", { concurrency: 8 }, () => {
  for (const probe of ec2Probes) test(probe.name, () => probe.run(context));
});
