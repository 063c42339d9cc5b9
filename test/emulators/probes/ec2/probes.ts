import type { Probe } from "../probe.ts";
import type { Ec2Context } from "./context.ts";
import { snapshotProbes } from "./snapshots.ts";
import { volumeProbes } from "./volumes.ts";

/** Everything that a stand-in of EC2 must do. */
export const ec2Probes: readonly Probe<Ec2Context>[] = [...volumeProbes, ...snapshotProbes];
