import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

/** What tells restic that this is a cache, and of which version; and what this plugin remembers beside it. */
const kept = /^(?:CACHEDIR\.TAG|version|flotilla-\w+)$/;

/**
 * Removes the oldest files of a repository's cache until it is no larger than the limit. restic fetches again what is
 * missing, so that nothing is at risk, also while another process uses the same cache.
 */
export async function boundCache(folder: string, limitBytes: number): Promise<void> {
  const files = await cachedFiles(folder);
  let size = files.reduce((sum, file) => sum + file.size, 0);
  for (const file of files.sort((a, b) => a.usedMs - b.usedMs)) {
    if (size <= limitBytes) return;
    await unlink(file.path).catch(() => {});
    size -= file.size;
  }
}

async function cachedFiles(folder: string): Promise<{ path: string; size: number; usedMs: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => entry.isFile() && !kept.test(entry.name))
    .map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const found = await stat(path).catch(() => undefined);
      return found === undefined ? [] : [{ path, size: found.size, usedMs: Math.max(found.mtimeMs, found.atimeMs) }];
    });
  return (await Promise.all(files)).flat();
}
