export { awaitState } from "./await-state.ts";
export type { AwaitStateOptions, Observed } from "./await-state.ts";
export { copyFindings } from "./copy-findings.ts";
export { bestCopy, planTarget } from "./copy-plan.ts";
export type { CopyStatus, PlanInput, TargetPlan } from "./copy-plan.ts";
export { CopyRounds } from "./copy-rounds.ts";
export type { CopyRoundsOptions } from "./copy-rounds.ts";
export { backupTag, copyFromTag, copyOfTag } from "./copy-tags.ts";
export { findOrphanedCopies } from "./orphaned-copies.ts";
export type { OrphanedCopy, OrphanSearch } from "./orphaned-copies.ts";
export { withPlace, zonesOf } from "./persistent-volume-place.ts";
export type { VolumePlace } from "./persistent-volume-place.ts";
export {
  csiAttributeOf,
  csiVolumeOf,
  hasSource,
  inTreeFieldOf,
  labelOf,
  withCsiVolumeHandle,
  withField,
  withInTreeField,
  withLabel,
} from "./persistent-volume.ts";
export type { CsiVolume } from "./persistent-volume.ts";
export { restorePlace } from "./restore-place.ts";
export type { RestorePlace, RestorePlaces } from "./restore-place.ts";
export { withSnapshotCopies } from "./snapshot-copies.ts";
export type { SnapshotCopiesOptions } from "./snapshot-copies.ts";
export { inheritTags } from "./tags.ts";
export type { TagInheritance, Tags } from "./tags.ts";
export { whileBusy } from "./while-busy.ts";
export { withinTime } from "./within-time.ts";
