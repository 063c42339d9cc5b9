import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import type { Logger } from "@flotilla/sdk/plugin";
import { silentLogger } from "@flotilla/sdk/plugin";

const anyExecuteBit = 0o111;

/**
 * The files below a folder that the server would start as plugins: recursively, in name order, judged by lstat. Any
 * execute bit makes a plugin, and so does a name ending in `.exe`; a symbolic link always has the bit, and one to a
 * folder is not descended. Other files are skipped with a warning. A missing folder holds no plugins.
 */
export async function findExecutables(directory: string, log: Logger = silentLogger): Promise<readonly string[]> {
  const names = await namesIn(directory);
  const found: string[] = [];
  for (const name of names) {
    const path = join(directory, name);
    const status = await lstat(path);
    if (status.isDirectory()) found.push(...(await findExecutables(path, log)));
    else if ((status.mode & anyExecuteBit) !== 0 || name.toLowerCase().endsWith(".exe")) found.push(path);
    else log.warn("skipped a file that is not executable", { path, mode: (status.mode & 0o777).toString(8) });
  }
  return found;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    // By code unit, as the server's directory reading sorts; a locale's order would differ.
    return (await readdir(directory)).sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
