import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { downloadPackage, unpackPackage } from "./debian-download.ts";
import { imagePackages } from "./debian-packages.ts";
import { libraryFolderName } from "./executable-name.ts";
import type { Platform } from "./platform.ts";

/** The server's user and group in its image. */
export const serverUser = { uid: 1002, gid: 1000 } as const;

/**
 * Makes a root folder out of exactly the packages of the server's image (in Debian 11's versions, older than the
 * image's own), with an empty /tmp, an empty /plugins and mount points for what every container has, /proc and
 * /dev/null.
 */
export function makeServerRoot(root: string, platform: Platform): void {
  for (const pinned of imagePackages[platform]) unpackPackage(downloadPackage(pinned), root);
  makeMountPoints(root);
  mkdirSync(join(root, "plugins"));
}

/** Makes the places below a root folder where a container has /proc, /dev/null and /tmp. */
export function makeMountPoints(root: string): void {
  mkdirSync(join(root, "proc"), { recursive: true });
  mkdirSync(join(root, "dev"), { recursive: true });
  writeFileSync(join(root, "dev/null"), "");
  mkdirSync(join(root, "tmp"), { recursive: true });
  chmodSync(join(root, "tmp"), 0o1777);
}

/** The same with an executable and its libraries below /plugins. */
export function makeImageRoot(root: string, platform: Platform, executable: string): void {
  makeServerRoot(root, platform);
  const name = basename(executable);
  copyFileSync(executable, join(root, "plugins", name));
  const libraries = join(executable, "..", libraryFolderName(name));
  if (existsSync(libraries)) cpSync(libraries, join(root, "plugins", libraryFolderName(name)), { recursive: true });
}

/** How a program is run with `root` as its root folder: as the given user where this process may choose one. */
export function inImageRoot(
  root: string,
  program: readonly string[],
  { uid, gid }: { readonly uid: number; readonly gid: number } = serverUser,
): { command: string; args: string[] } {
  // The mounts are in a namespace of their own, so that they go with the process.
  const enter = 'mount -t proc proc "$1/proc" && mount --bind /dev/null "$1/dev/null" && cd "$1" && shift && exec "$@"';
  const user = `--userspec=${uid}:${gid}`;
  if (process.getuid?.() === 0) {
    return {
      command: "unshare",
      args: ["--mount", "sh", "-c", enter, "sh", root, "chroot", user, root, ...program],
    };
  }
  const namespaces = ["--map-root-user", "--mount", "--pid", "--fork", "--kill-child"];
  return { command: "unshare", args: [...namespaces, "sh", "-c", enter, "sh", root, "chroot", root, ...program] };
}
