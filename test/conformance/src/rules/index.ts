import { listerRules } from "./lister.ts";
import { objectStoreRules } from "./object-store.ts";
import { processRules } from "./process.ts";
import type { Rule } from "./rule.ts";
import { safetyRules } from "./safety.ts";
import { volumeSnapshotterRules } from "./volume-snapshotter.ts";

/** Every rule, by its id. */
export const rules = {
  ...processRules,
  ...listerRules,
  ...objectStoreRules,
  ...volumeSnapshotterRules,
  ...safetyRules,
};

/** The id of a rule. */
export type RuleId = keyof typeof rules;

/** The rules by chapter, as docs/protocol.md shows them. */
export const chapters: readonly { readonly title: string; readonly rules: Readonly<Record<string, Rule>> }[] = [
  { title: "The process", rules: processRules },
  { title: "PluginLister", rules: listerRules },
  { title: "ObjectStore", rules: objectStoreRules },
  { title: "VolumeSnapshotter", rules: volumeSnapshotterRules },
  { title: "Safety", rules: safetyRules },
];
