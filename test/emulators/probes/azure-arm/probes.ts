import type { Probe } from "../probe.ts";
import type { AzureArmContext } from "./context.ts";
import { diskRefusalProbes } from "./disk-refusals.ts";
import { diskProbes } from "./disks.ts";
import { snapshotProbes } from "./snapshots.ts";

/** Everything that a stand-in of Microsoft.Compute must do. */
export const azureArmProbes: readonly Probe<AzureArmContext>[] = [
  ...diskProbes,
  ...diskRefusalProbes,
  ...snapshotProbes,
];
