import type { PackageManifest } from "./workspace.ts";

/**
 * The file name of a plugin's executable: the package's name without its scope, always under a prefix of our own, so
 * that no file of an official plugin is overwritten in the folder that all plugins share.
 */
export function executableName(packageName: string): string {
  const bare = packageName.replace(/^@[^/]+\//, "");
  if (!/^[a-z0-9][a-z0-9-]*$/.test(bare)) throw new Error(`${packageName}: not a package name that can name a file`);
  return bare.startsWith("flotilla-") ? bare : `flotilla-${bare}`;
}

/** The file name of what a package builds: its command's, or its plugin's. */
export function programName({ name, command }: PackageManifest): string {
  return command ?? executableName(name);
}

/** The folder of shared libraries that lies beside the executable. */
export function libraryFolderName(executable: string): string {
  return `${executable}.lib`;
}
