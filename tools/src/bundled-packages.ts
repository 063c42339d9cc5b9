import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { workspaceFolder } from "./workspace.ts";
import type { Chunk } from "./bundle.ts";

/** One npm package whose code is inside an executable. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json states it, in SPDX's words. */
  readonly license: string;
  /** Relative to the workspace. */
  readonly folder: string;
}

/** What a bundle holds of other people's, in the order of names. */
export function bundledPackages(chunks: readonly Chunk[]): BundledPackage[] {
  const folders = new Set(chunks.flatMap(({ packageFolders }) => [...packageFolders]));
  return [...folders].map(describe).sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

/** Reads the list that the build left beside an executable. */
export function readBundledPackages(path: string): readonly BundledPackage[] {
  // Written by build-plugin, whole.
  return JSON.parse(readFileSync(path, "utf8")) as BundledPackage[];
}

/** The file that holds that list. */
export function packageListName(executable: string): string {
  return `${executable}.packages.json`;
}

function describe(folder: string): BundledPackage {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  // npm requires both of a published package; the licence is checked below.
  const { name, version, license } = manifest as { name: string; version: string; license?: unknown };
  if (typeof license !== "string") throw new Error(`${name} ${version} states no licence: it cannot go into an image`);
  return { name, version, license, folder: relative(workspaceFolder, folder) };
}
