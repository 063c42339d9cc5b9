import { BlobError, invalidQuery } from "./blob-error.ts";
import type { BlobMeta } from "./blob-meta.ts";
import type { Call } from "./call.ts";
import type { Container } from "./container.ts";
import { settle } from "./settle.ts";

/** A blob, a version of it, or a snapshot of it. */
export interface FoundBlob {
  readonly meta: BlobMeta;
  readonly path: string;
  /** Whether it is what a plain read returns. */
  readonly isCurrent: boolean;
  readonly isSnapshot: boolean;
  /** Replaces what is known of it, not its data. */
  update(changes: Partial<BlobMeta>): void;
}

/** Returns the current blob of a name; undefined where there is none. */
export async function currentBlob(call: Call, container: Container, name: string): Promise<BlobMeta | undefined> {
  const meta = container.current(name);
  return meta === undefined ? undefined : await settle(container, meta, call.now);
}

/** Finds what name, snapshot and version in a URL address; throws BlobNotFound. */
export async function findBlob(
  call: Call,
  container: Container,
  name: string,
  query: ReadonlyMap<string, string>,
): Promise<FoundBlob> {
  const snapshot = query.get("snapshot");
  const version = query.get("versionid");
  if (snapshot !== undefined && version !== undefined) throw invalidQuery("versionid", version);
  if (snapshot !== undefined) return findSnapshot(container, name, snapshot);
  const current = await currentBlob(call, container, name);
  const meta =
    version === undefined ? current : container.blobs.versions(name).find((one) => one.versionId === version);
  if (meta === undefined || meta.isDeleteMarker === true) throw new BlobError("BlobNotFound");
  return {
    meta,
    path: container.blobs.dataPath(meta),
    isCurrent: meta === current,
    isSnapshot: false,
    update: (changes) => container.blobs.update(meta, changes),
  };
}

function findSnapshot(container: Container, name: string, time: string): FoundBlob {
  const meta = container.snapshots.versions(name).find((one) => one.versionId === time);
  if (meta === undefined) throw new BlobError("BlobNotFound");
  return {
    meta,
    path: container.snapshots.dataPath(meta),
    isCurrent: false,
    isSnapshot: true,
    update: (changes) => container.snapshots.update(meta, changes),
  };
}
