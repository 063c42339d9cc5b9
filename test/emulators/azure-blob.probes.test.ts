import { after, describe, test } from "node:test";

import { startProbed } from "./azure-blob/probed-stand-in.ts";
import { blobProbes } from "./probes/azure-blob/probes.ts";

const standIn = await startProbed();
after(() => standIn[Symbol.asyncDispose]());

describe("the Azure Blob stand-in", { concurrency: 8 }, () => {
  for (const probe of blobProbes) test(probe.name, () => probe.run(standIn.context));
});
