import { after, describe, test } from "node:test";

import { azureDefaults } from "./azure-arm/seeds.ts";
import { startAzureArm } from "./azure-arm/start-arm.ts";
import { AzureArmContext } from "./probes/azure-arm/context.ts";
import { azureArmProbes } from "./probes/azure-arm/probes.ts";

const arm = await startAzureArm({ pendingMs: 10, copyMs: 30, pageSize: 10 });
const context = new AzureArmContext({
  ...azureDefaults,
  endpoint: arm.url,
  authorityHost: arm.authorityUrl,
  caPem: arm.caPem,
});
after(() => arm.close());

describe("the stand-in of Azure Resource Manager", { concurrency: 8 }, () => {
  for (const probe of azureArmProbes) test(probe.name, () => probe.run(context));
});
