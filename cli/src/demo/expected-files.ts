import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";

import { printJson, PluginError } from "@flotilla/sdk/plugin";

import { collectBody } from "../backup-layout/collect-body.ts";
import { readManifests } from "../backup-layout/manifests.ts";
import { resourcePaths, withSortedKeys } from "../backup-layout/resource.ts";
import { readTarball } from "../backup-layout/tarball-reader.ts";
import { formatVersion } from "../backup-layout/tarball-writer.ts";

/** What a restore of the input must consist of, computed from the input alone: path and content. */
export async function expectedFiles(from: string): Promise<ReadonlyMap<string, Buffer>> {
  if (!(await stat(from)).isDirectory()) return await filesOfTarball(from);
  const files = new Map([["metadata/version", Buffer.from(`${formatVersion}\n`)]]);
  for (const resource of await readManifests(from)) {
    const json = Buffer.from(printJson(withSortedKeys(resource.object)));
    for (const path of resourcePaths(resource)) files.set(path, json);
  }
  return files;
}

/**
 * Compares a folder with what it must consist of, byte by byte; throws with the first differences. Files that shall
 * differ are only looked for. Answers the bytes that are the same.
 */
export async function compareFolder(
  folder: string,
  expected: ReadonlyMap<string, Buffer>,
  differing: ReadonlySet<string> = new Set(),
): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const found = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  const extra = found.map((file) => relative(folder, file)).filter((path) => !expected.has(path));
  const differences = extra.map((path) => `${path} was not in the input`);
  let bytes = 0;
  for (const [path, content] of expected) {
    const restored = await readFile(join(folder, path)).catch(() => undefined);
    if (restored === undefined) differences.push(`${path} is missing`);
    else if (differing.has(path)) continue;
    else if (!restored.equals(content)) differences.push(`${path} differs`);
    bytes += restored?.length ?? 0;
  }
  if (differences.length === 0) return bytes;
  throw new PluginError(`the restored files are not the input: ${differences.slice(0, 5).join("; ")}`, {
    kind: "corrupt",
  });
}

async function filesOfTarball(path: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  await readTarball(createReadStream(path), async (file) => {
    files.set(file.path, await collectBody(file.content, file.path));
  });
  return files;
}
