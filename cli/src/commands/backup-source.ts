import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { isKind, parseJson } from "@flotilla/sdk/plugin";

import { collectBody } from "../backup-layout/collect-body.ts";
import { readManifests } from "../backup-layout/manifests.ts";
import { readResource } from "../backup-layout/resource.ts";
import type { Resource } from "../backup-layout/resource.ts";
import { readTarball } from "../backup-layout/tarball-reader.ts";
import { writeTarball } from "../backup-layout/tarball-writer.ts";
import { UsageError } from "../cli-error.ts";

/** What a backup is made from: a tarball on disk, and the resources in it. */
export interface BackupSource {
  readonly tarball: string;
  readonly sizeBytes: number;
  readonly resources: readonly Resource[];
}

// `resources/<plural.group>/cluster/…` and `…/namespaces/<ns>/…`, but not the copies of each API version.
const unversionedResource = /^resources\/[^/]+\/(cluster\/[^/]+|namespaces\/[^/]+\/[^/]+)\.json$/;

/** Prepares a folder of manifests, or takes a Velero tarball as it is, byte for byte. */
export async function prepareSource(
  from: string,
  options: { readonly workFolder: string; readonly now: Date; readonly signal: AbortSignal },
): Promise<BackupSource> {
  const status = await stat(from).catch((error: unknown) => {
    throw new UsageError(`--from ${from} cannot be read: ${String(error)}`, { cause: error });
  });
  if (!status.isDirectory()) {
    return { tarball: from, sizeBytes: status.size, resources: await readTarballResources(from) };
  }
  const resources = await readManifests(from);
  const tarball = join(options.workFolder, "contents.tar.gz");
  await writeTarball(tarball, resources, { modifiedAt: options.now, signal: options.signal });
  return { tarball, sizeBytes: (await stat(tarball)).size, resources };
}

/** The resources of a Velero tarball, each once. */
async function readTarballResources(path: string): Promise<readonly Resource[]> {
  const resources: Resource[] = [];
  let isVeleroTarball = false;
  try {
    await readTarball(createReadStream(path), async ({ path: entry, content }) => {
      isVeleroTarball ||= entry === "metadata/version" || entry.startsWith("resources/");
      if (!unversionedResource.test(entry)) return;
      const resource = readResource(parseJson((await collectBody(content, entry)).toString("utf8")));
      if (typeof resource === "string") throw new UsageError(`--from ${path}: ${entry} ${resource}`);
      resources.push(resource);
    });
  } catch (error) {
    if (!isKind(error, "corrupt") && !(error instanceof SyntaxError)) throw error;
    throw new UsageError(
      `--from ${path} is neither a folder of manifests nor a whole Velero backup tarball: ${error.message}`,
      { cause: error },
    );
  }
  if (!isVeleroTarball) throw new UsageError(`--from ${path} is a tarball, but not one of a Velero backup`);
  return resources;
}
