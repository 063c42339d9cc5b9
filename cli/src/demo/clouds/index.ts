import type { DemoCloud } from "../demo-cloud.ts";
import { awsDemoCloud } from "./aws.ts";
import { azureDemoCloud } from "./azure.ts";
import { gcpDemoCloud } from "./gcp.ts";
import { resticDemoCloud } from "./restic.ts";

/** The clouds on which the demo runs; the first is the default. */
export const demoClouds: readonly [DemoCloud, ...DemoCloud[]] = [
  awsDemoCloud,
  azureDemoCloud,
  gcpDemoCloud,
  resticDemoCloud,
];
