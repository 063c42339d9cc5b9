import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { parse } from "yaml";

import { capabilities } from "./target.ts";
import type { Capability, ObjectStoreTarget, VolumeSnapshotterTarget } from "./target.ts";

/** A target as it is written down, in YAML or JSON. Texts may refer to what is only known once it runs. */
export interface TargetFile {
  readonly path: string;
  /** Where its command runs and relative paths begin. */
  readonly folder: string;
  readonly name: string;
  readonly about?: string;
  readonly provider?: string;
  /** Whether a run that cannot have it fails; otherwise it runs when all targets are asked for. */
  readonly isRequired?: boolean;
  /** A server to start; it prints one line of JSON once it listens and leaves when its stdin ends. */
  readonly start?: { readonly command: readonly string[] };
  /** The plugin inherits this process's environment unless this is true. */
  readonly isIsolated?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Files that are written before the plugin starts, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly objectStore?: ObjectStoreTarget;
  readonly volumeSnapshotter?: VolumeSnapshotterTarget;
  readonly capabilities?: readonly Capability[];
  readonly cannot?: Readonly<Record<string, string>>;
  /** How many times the usual time a test may take, for a store each of whose calls is slow by its nature. */
  readonly timeLimitFactor?: number;
}

const knownKeys = new Set([
  "name",
  "about",
  "provider",
  "isRequired",
  "start",
  "isIsolated",
  "env",
  "files",
  "objectStore",
  "volumeSnapshotter",
  "capabilities",
  "cannot",
  "timeLimitFactor",
]);

/** Reads a target file. What is wrong with it is named with the file. */
export async function readTargetFile(path: string): Promise<TargetFile> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Error(`the target ${path} cannot be read`, { cause });
  });
  const parsed: unknown = parse(text);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new Error(`the target ${path} is not an object with objectStore or volumeSnapshotter`);
  const unknown = Object.keys(parsed).filter((key) => !knownKeys.has(key));
  if (unknown.length > 0)
    throw new Error(
      `the target ${path} has unknown keys ${unknown.join(", ")}; known are ${[...knownKeys].join(", ")}`,
    );
  // The parse edge: the keys are checked above and below, the locations are the plugin's to judge.
  const file = parsed as Partial<TargetFile>;
  const strange = (file.capabilities ?? []).filter((name) => !Object.hasOwn(capabilities, name));
  if (strange.length > 0)
    throw new Error(
      `the target ${path} claims ${strange.join(", ")}; capabilities are ${Object.keys(capabilities).join(", ")}`,
    );
  if (file.objectStore === undefined && file.volumeSnapshotter === undefined)
    throw new Error(`the target ${path} has neither objectStore nor volumeSnapshotter`);
  for (const kind of ["objectStore", "volumeSnapshotter"] as const)
    if (file[kind] !== undefined && typeof file[kind].config !== "object")
      throw new Error(`the target ${path} has no ${kind}.config: the keys that the server would hand to Init`);
  const folder = dirname(resolve(path));
  return { ...file, path, folder, name: file.name ?? basename(folder) };
}
