export { awaitState } from "./await-state.ts";
export type { AwaitStateOptions, Observed } from "./await-state.ts";
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
export { inheritTags } from "./tags.ts";
export type { TagInheritance, Tags } from "./tags.ts";
export { whileBusy } from "./while-busy.ts";
export { withinTime } from "./within-time.ts";
