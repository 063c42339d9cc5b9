import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { keepInCache } from "./cached-folder.ts";
import { cacheFolder, installedPackage, workspaceFolder } from "./workspace.ts";
import type { Platform } from "./platform.ts";

/**
 * The path of Node's own executable for a platform, of the version that runs this program: builder and base must agree.
 * npm installs only the one for its machine; another is fetched through npm, checked against package-lock.json.
 */
export function nodeBinary(platform: Platform): string {
  const name = `node-${platform}`;
  const locked = lockedPackage(name);
  if (`v${locked.version}` !== process.version)
    throw new Error(`node ${locked.version} is pinned, but ${process.version} runs this: use npm run`);
  const folder = installedPackage(name) ?? fetchPackage(name, locked);
  return join(folder, "bin", "node");
}

interface LockedPackage {
  readonly version: string;
  readonly integrity: string;
}

function lockedPackage(name: string): LockedPackage {
  const lock: unknown = JSON.parse(readFileSync(join(workspaceFolder, "package-lock.json"), "utf8"));
  // The shape of npm's lock file, version 3.
  const locked = (lock as { packages: Record<string, Partial<LockedPackage> | undefined> }).packages[
    `node_modules/${name}`
  ];
  if (locked?.version === undefined || locked.integrity === undefined)
    throw new Error(`package-lock.json does not pin ${name}`);
  return { version: locked.version, integrity: locked.integrity };
}

function fetchPackage(name: string, locked: LockedPackage): string {
  const folder = join(cacheFolder, `${name}-${locked.version}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    execFileSync("npm", ["pack", "--silent", `${name}@${locked.version}`, "--pack-destination", partial]);
    const archive = join(partial, `${name}-${locked.version}.tgz`);
    const hash = createHash("sha512").update(readFileSync(archive)).digest("base64");
    if (locked.integrity !== `sha512-${hash}`) throw new Error(`${name} differs from what package-lock.json pins`);
    execFileSync("tar", ["-xzf", archive, "-C", partial, "package/bin/node", "package/LICENSE"]);
    keepInCache(join(partial, "package"), folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}
