import { hasControlCharacter, relativeFolder } from "./volume-relative-folder.ts";
import { fieldsOf, parseTemplate } from "./volume-path-template.ts";
import type { PathTemplate } from "./volume-path-template.ts";

/** The sources of a PersistentVolume that name a path themselves. */
const pathSources = ["nfs", "hostPath", "local"] as const;

/** Where volumes of one kind, at or below one path of theirs, are found below the volume root. */
export interface PathRule {
  /** As it was written, for messages. */
  readonly text: string;
  readonly source: (typeof pathSources)[number];
  /** Undefined for volumes of any server, and for sources without one. */
  readonly server: string | undefined;
  /** The names of the path that the folder stands for; none for all paths. */
  readonly base: readonly string[];
  /** What stands before the rest of the path: names, or `{server}` for the name of the server. */
  readonly folder: readonly string[];
}

/** Where the volumes of a CSI driver are found below the volume root. */
export interface CsiRule {
  readonly text: string;
  readonly source: "csi";
  readonly driver: string;
  readonly template: PathTemplate;
}

/** One line of the table of volume paths. */
export type VolumePathRule = PathRule | CsiRule;

/** What stands for the server's name in the folder of an nfs rule. */
export const serverField = "{server}";

/** Without a table: the root shows each NFS server as a folder of its own, and the node's own file system. */
export const defaultPathRules: readonly VolumePathRule[] = parsePathRules("nfs={server} hostPath=. local=.");

/** Reads `volumePaths`: rules SOURCE=FOLDER, separated by white space or commas. */
export function parsePathRules(text: string): readonly VolumePathRule[] {
  const rules = text.split(/[\s,]+/).filter((rule) => rule !== "");
  if (rules.length === 0) throw new Error("no rule in it");
  return rules.map(parseRule);
}

function parseRule(text: string): VolumePathRule {
  const cut = text.indexOf("=");
  if (cut < 1) throw new Error(`the rule ${printableRule(text)} is not of the form SOURCE=FOLDER`);
  const [origin, folder] = [text.slice(0, cut), text.slice(cut + 1)];
  try {
    if (origin.startsWith("csi:")) return csiRule(text, origin.slice("csi:".length), folder);
    const source = pathSources.find((name) => origin === name || origin.startsWith(`${name}:`));
    if (source === undefined) throw new Error(`its source is none of ${pathSources.join(", ")} and csi:DRIVER`);
    return pathRule(text, source, origin.slice(source.length + 1), folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the rule ${printableRule(text)}: ${reason}`, { cause: error });
  }
}

function csiRule(text: string, driver: string, folder: string): CsiRule {
  if (driver === "") throw new Error("it names no driver: csi:DRIVER=FOLDER");
  const template = parseTemplate(folder);
  const fields = fieldsOf(template);
  if (fields.length === 0) throw new Error("its folder has neither {volumeHandle} nor {attributes.NAME}");
  const unknown = fields.find((field) => field !== "volumeHandle" && !/^attributes\../.test(field));
  if (unknown !== undefined) throw new Error(`{${unknown}} is neither {volumeHandle} nor {attributes.NAME}`);
  return { text, source: "csi", driver, template };
}

function pathRule(text: string, source: PathRule["source"], origin: string, folder: string): PathRule {
  const { server, path } = source === "nfs" ? splitExport(origin) : { server: undefined, path: origin };
  if (path !== "" && !path.startsWith("/")) throw new Error(`the path ${path} does not begin with a slash`);
  const names = folderNames(folder);
  const braces = names.filter((name) => name.includes("{") || name.includes("}"));
  if (braces.some((name) => name !== serverField || source !== "nfs" || server !== undefined) || braces.length > 1)
    throw new Error(`only ${serverField} may stand in its folder, once, and only for nfs without a server`);
  return { text, source, server, base: folderNames(path), folder: names };
}

/** `SERVER:/PATH`; an IPv6 address stands in brackets, as where one mounts it. */
function splitExport(origin: string): { readonly server: string | undefined; readonly path: string } {
  if (origin === "") return { server: undefined, path: "" };
  const cut = origin.lastIndexOf(":/");
  if (cut < 1) throw new Error("write it as nfs=FOLDER or nfs:SERVER:/PATH=FOLDER");
  return { server: origin.slice(0, cut).replace(/^\[(.*)\]$/, "$1"), path: origin.slice(cut + 1) };
}

/** The root itself is a folder here: the rest of the path follows it. */
function folderNames(text: string): readonly string[] {
  return /^[./]*$/.test(text) && !text.includes("..") ? [] : relativeFolder(text).split("/");
}

function printableRule(text: string): string {
  return hasControlCharacter(text) ? "with a control character" : `"${text}"`;
}
