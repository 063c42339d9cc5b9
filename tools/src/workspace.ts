import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The repository's folder, above any of its packages. */
export const workspaceFolder = join(import.meta.dirname, "..", "..");

/** Where downloads are kept, by their hash or version; may be deleted at any time. */
export const cacheFolder = join(workspaceFolder, ".cache");

/** A package.json as far as the build reads it. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** The command that its users run, where it is one; a plugin is none. */
  readonly command?: string;
}

/** Reads the package.json of a folder. */
export function readManifest(folder: string): PackageManifest {
  const path = join(folder, "package.json");
  const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (typeof manifest !== "object" || manifest === null) throw new Error(`${path} is not an object`);
  const { name, version, description, bin } = manifest as Partial<Record<keyof PackageManifest | "bin", unknown>>;
  if (typeof name !== "string" || typeof version !== "string" || typeof description !== "string")
    throw new Error(`${path} has no name, version or description`);
  const [command] = typeof bin === "object" && bin !== null ? Object.keys(bin) : [];
  return { name, version, description, ...(command === undefined ? {} : { command }) };
}

/** The folder of an installed package, or undefined where this machine's npm left it out. */
export function installedPackage(name: string): string | undefined {
  const manifest = join(workspaceFolder, "node_modules", name, "package.json");
  return existsSync(manifest) ? dirname(manifest) : undefined;
}
