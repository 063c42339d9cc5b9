import type { Session } from "../session.ts";
import type { DemoRegions } from "./demo-cloud.ts";
import type { DemoStage } from "./run-demo.ts";

/** What the steps of the lost region work with. */
export interface LostRegionStage extends Pick<
  DemoStage,
  "steps" | "from" | "state" | "printObject" | "session" | "store" | "volumes"
> {
  readonly regions: DemoRegions;
  /** On locations whose objects and snapshots are copied to the other region. */
  readonly copied: Session;
  /** On these copies, as a cluster in the other region opens them: it knows of no other location. */
  readonly elsewhere: Session;
  /** From here on nothing in the first region answers. */
  readonly lose: () => Promise<void>;
}

/** The backup that outlives its region. */
export const copiedBackup = "demo-copied";
