import { isAbsolute, normalize } from "node:path";

import { custom, oneOf, text } from "@flotilla/sdk/plugin";
import type { ConfigSchema, ConfigValues } from "@flotilla/sdk/plugin";

import { passwordKeys, repositoryKeys } from "./config.ts";
import { copyToKeys, copyToPasswordKeys } from "./volume-copy-keys.ts";
import { defaultPathRules, parsePathRules } from "./volume-path-rules.ts";
import { relativeFolder } from "./volume-relative-folder.ts";

/** Every key of a VolumeSnapshotLocation. */
export const volumeSnapshotterConfig = {
  keys: {
    ...repositoryKeys,
    caCert: text("PEM certificates trusted besides the system's.", { origin: "ours" }),
    volumeRoot: custom(
      "Folder of the server's pod below which the volumes are mounted. Nothing outside of it is read or written.",
      "absolute path",
      parseRoot,
      { origin: "ours" },
    ),
    volumePaths: custom(
      "Where below volumeRoot each kind of volume is: rules SOURCE=FOLDER, separated by white space or commas. SOURCE is nfs, nfs:SERVER:/PATH, hostPath, hostPath:/PATH, local, local:/PATH or csi:DRIVER; the FOLDER of a CSI driver holds {volumeHandle} or {attributes.NAME}. Volumes that no rule speaks of are left to other locations.",
      "rules SOURCE=FOLDER",
      parsePathRules,
      { fallback: defaultPathRules, defaultText: "nfs={server} hostPath=. local=.", origin: "ours" },
    ),
    restoreFolder: custom(
      "Folder below volumeRoot in which restored volumes are made.",
      "relative path",
      (text) => (/^[./]*$/.test(text) && !text.includes("..") ? "" : relativeFolder(text)),
      { defaultText: "beside the volume that was backed up", origin: "ours" },
    ),
    exclude: custom(
      "Files of volumes that are not backed up: restic's patterns, separated by commas or line ends.",
      "patterns",
      parsePatterns,
      { fallback: [], defaultText: "none", origin: "ours" },
    ),
    writtenBy: oneOf(
      "`velero` for a repository that Velero's own pod volume backup wrote: it is only read, by `flotilla volume restore --to`; its password is Velero's default one unless a key names another.",
      ["flotilla", "velero"],
      { fallback: "flotilla", origin: "ours" },
    ),
    ...copyToKeys,
  },
  exclusive: [passwordKeys, copyToPasswordKeys],
} as const satisfies ConfigSchema;

/** A parsed VolumeSnapshotLocation. */
export type VolumeSnapshotterConfig = ConfigValues<typeof volumeSnapshotterConfig>;

function parseRoot(text: string): string {
  if (!isAbsolute(text)) throw new Error("it does not begin with a slash");
  const root = normalize(text).replace(/(.)\/+$/, "$1");
  if (root === "/") throw new Error("it is the whole file system of the server");
  return root;
}

function parsePatterns(text: string): readonly string[] {
  return text
    .split(/[\n,]/)
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "");
}
