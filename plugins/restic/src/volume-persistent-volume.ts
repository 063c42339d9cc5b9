import { PluginError } from "@flotilla/sdk/plugin";
import type { PersistentVolume } from "@flotilla/sdk/plugin";
import {
  csiAttributeOf,
  csiVolumeOf,
  hasSource,
  inTreeFieldOf,
  withCsiVolumeHandle,
  withField,
  withInTreeField,
} from "@flotilla/sdk/volumes";

import { serverField } from "./volume-path-rules.ts";
import type { CsiRule, PathRule, VolumePathRule } from "./volume-path-rules.ts";
import { fieldsOf, fillTemplate, solveLastField } from "./volume-path-template.ts";
import type { FieldLookup } from "./volume-path-template.ts";
import { relativeFolder } from "./volume-relative-folder.ts";

/**
 * The folder below the volume root that a PersistentVolume is about; undefined where no rule speaks of it. Throws
 * `invalid-argument` for a path that would lead elsewhere and for a volume of a known driver that lacks the fields.
 */
export function folderOf(volume: PersistentVolume, rules: readonly VolumePathRule[]): string | undefined {
  const found = ruleFor(volume, rules);
  if (found === undefined) return undefined;
  return checkedFolder(found.folder, found.rule);
}

/**
 * The same PersistentVolume with this folder behind it. What its rule does not need is kept. Throws `invalid-config`
 * where no rule leads from the folder to a volume of this kind.
 */
export function withFolder(
  volume: PersistentVolume,
  folder: string,
  rules: readonly VolumePathRule[],
): PersistentVolume {
  const own = ruleFor(volume, rules)?.rule;
  const ordered = own === undefined ? rules : [own, ...rules.filter((rule) => rule !== own)];
  for (const rule of ordered) {
    const placed = rule.source === "csi" ? placeCsi(volume, folder, rule) : placePath(volume, folder, rule);
    if (placed !== undefined && ruleFor(placed, rules)?.folder === folder) return placed;
  }
  throw new PluginError(
    `point the PersistentVolume at the folder ${folder}: no rule of volumePaths leads from there to its kind of volume (${kindOf(volume)}); add one, or set restoreFolder to a folder that a rule names`,
    { kind: "invalid-config" },
  );
}

interface FoundRule {
  readonly rule: VolumePathRule;
  /** As the rule yields it; not yet checked. */
  readonly folder: string;
}

/** The rule that speaks of the volume: of several the one with the longest path, else the first. */
function ruleFor(volume: PersistentVolume, rules: readonly VolumePathRule[]): FoundRule | undefined {
  const csi = csiVolumeOf(volume);
  if (csi !== undefined) return csiRuleFor(volume, csi.driver, rules);
  let best: (FoundRule & { readonly depth: number }) | undefined;
  for (const rule of rules) {
    if (rule.source === "csi") continue;
    const folder = pathFolder(volume, rule);
    const depth = rule.base.length + (rule.server === undefined ? 0 : 1);
    if (folder !== undefined && (best === undefined || depth > best.depth)) best = { rule, folder, depth };
  }
  return best;
}

function csiRuleFor(volume: PersistentVolume, driver: string, rules: readonly VolumePathRule[]): FoundRule | undefined {
  const own = rules.filter((rule) => rule.source === "csi" && rule.driver === driver);
  for (const rule of own) {
    if (rule.source !== "csi") continue;
    const folder = fillTemplate(rule.template, csiLookup(volume));
    if (folder !== undefined) return { rule, folder: withSingleSlashes(folder) };
  }
  const [first] = own;
  if (first?.source !== "csi") return undefined;
  const missing = fieldsOf(first.template).filter((field) => (csiLookup(volume)(field) ?? "") === "");
  throw new PluginError(
    `find the folder of a volume of ${driver}: it has no ${missing.join(", ")}, which the rule "${first.text}" of volumePaths needs; add a rule for volumes without`,
    { kind: "invalid-argument" },
  );
}

function pathFolder(volume: PersistentVolume, { source, server, base, folder }: PathRule): string | undefined {
  if (!hasSource(volume, source)) return undefined;
  const volumeServer = inTreeFieldOf(volume, source, "server") ?? "";
  if (server !== undefined && server !== volumeServer) return undefined;
  const names = (inTreeFieldOf(volume, source, "path") ?? "").split("/").filter((name) => name !== "" && name !== ".");
  if (!base.every((name, index) => names[index] === name)) return undefined;
  const start = folder.map((name) => (name === serverField ? volumeServer : name));
  return [...start, ...names.slice(base.length)].join("/");
}

function placePath(volume: PersistentVolume, place: string, rule: PathRule): PersistentVolume | undefined {
  const { source, base, folder } = rule;
  if (!hasSource(volume, source)) return undefined;
  const names = place.split("/");
  const start = names.slice(0, folder.length);
  if (!folder.every((name, index) => name === serverField || name === start[index])) return undefined;
  const server = rule.server ?? start[folder.indexOf(serverField)];
  const placed = withInTreeField(volume, source, "path", `/${[...base, ...names.slice(folder.length)].join("/")}`);
  return server === undefined ? placed : withInTreeField(placed, source, "server", server);
}

function placeCsi(volume: PersistentVolume, place: string, rule: CsiRule): PersistentVolume | undefined {
  const csi = csiVolumeOf(volume);
  if (csi?.driver !== rule.driver) return undefined;
  const solved = solveLastField(rule.template, place, csiLookup(volume));
  if (solved === undefined) return undefined;
  if (solved.field === "volumeHandle") return withCsiVolumeHandle(volume, solved.value);
  const attribute = attributeName(solved.field);
  const placed = withField(volume, ["spec", "csi", "volumeAttributes", attribute], solved.value);
  const former = csiAttributeOf(volume, attribute) ?? "";
  return withCsiVolumeHandle(placed, handleWith(csi.volumeHandle, former, solved.value));
}

/**
 * Drivers such as csi-driver-nfs repeat the folder in the handle, and delete by it; it also keeps two volumes of a
 * cluster apart. Only a whole part of the handle is taken for it, the last one of several.
 */
function handleWith(handle: string, former: string, value: string): string {
  const ends = "#:/";
  // With its ends around it, so that one search finds whole parts only.
  const around = `#${handle}#`;
  for (const start of ends)
    for (const end of ends) {
      const at = former === "" ? -1 : around.lastIndexOf(`${start}${former}${end}`);
      if (at >= 0) return `${around.slice(1, at + 1)}${value}${around.slice(at + 1 + former.length, -1)}`;
    }
  return handle;
}

function csiLookup(volume: PersistentVolume): FieldLookup {
  return (field) =>
    field === "volumeHandle" ? csiVolumeOf(volume)?.volumeHandle : csiAttributeOf(volume, attributeName(field));
}

function attributeName(field: string): string {
  return field.slice("attributes.".length);
}

function withSingleSlashes(folder: string): string {
  return folder
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .join("/");
}

function checkedFolder(folder: string, rule: VolumePathRule): string {
  try {
    return relativeFolder(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PluginError(
      `find the folder of the volume by the rule "${rule.text}": its path is refused, for ${reason}; change the PersistentVolume or volumePaths`,
      { kind: "invalid-argument", cause: error },
    );
  }
}

function kindOf(volume: PersistentVolume): string {
  const csi = csiVolumeOf(volume);
  if (csi !== undefined) return `CSI driver ${csi.driver}`;
  return ["nfs", "hostPath", "local"].find((source) => hasSource(volume, source)) ?? "of another kind";
}
