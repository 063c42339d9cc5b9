import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { printJson } from "@flotilla/sdk/plugin";
import { pack } from "tar-stream";
import type { Pack } from "tar-stream";

import { resourcePaths, withSortedKeys } from "./resource.ts";
import type { Resource } from "./resource.ts";

/** The version of Velero's tarball layout that is written. */
export const formatVersion = "1.1.0";

// As the server sets it on every entry.
const entryMode = 0o755;

/** Writes resources as a Velero backup tarball: `metadata/version` first, then each resource at its two paths. */
export async function writeTarball(
  path: string,
  resources: readonly Resource[],
  options: { readonly modifiedAt: Date; readonly signal?: AbortSignal },
): Promise<void> {
  const archive = pack();
  const { signal } = options;
  await Promise.all([
    pipeline(Readable.from(archive), createGzip(), createWriteStream(path), { ...(signal && { signal }) }),
    addEntries(archive, resources, options.modifiedAt),
  ]);
}

async function addEntries(archive: Pack, resources: readonly Resource[], modifiedAt: Date): Promise<void> {
  await addEntry(archive, "metadata/version", `${formatVersion}\n`, modifiedAt);
  for (const resource of resources) {
    const json = printJson(withSortedKeys(resource.object));
    for (const path of resourcePaths(resource)) await addEntry(archive, path, json, modifiedAt);
  }
  archive.finalize();
}

async function addEntry(archive: Pack, name: string, content: string, mtime: Date): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    archive.entry({ name, mtime, mode: entryMode }, content, (error) =>
      error === null || error === undefined ? resolve() : reject(error),
    );
  });
}
