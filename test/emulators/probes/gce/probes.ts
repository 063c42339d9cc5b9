import type { Probe } from "../probe.ts";
import type { GceContext } from "./context.ts";
import { diskProbes } from "./disks.ts";
import { snapshotProbes } from "./snapshots.ts";

/** What a server of the API of Compute Engine must do. */
export const gceProbes: readonly Probe<GceContext>[] = [...diskProbes, ...snapshotProbes];
