import { rename, stat } from "node:fs/promises";
import { join } from "node:path";

import type { BlobMeta } from "./blob-meta.ts";
import type { Container } from "./container.ts";
import { newEtag } from "./state.ts";

/** The file, beside a blob's data, that a pending copy will put in its place. */
export const incomingName = "incoming";

/** Brings a blob up to date: ends a copy and a rehydration whose time has come. */
export async function settle(container: Container, meta: BlobMeta, now: Date): Promise<BlobMeta> {
  const { copy, rehydration } = meta;
  if (copy?.status === "pending" && Date.parse(copy.completes) <= now.getTime()) {
    const folder = container.blobs.folderOf(meta);
    const incoming = join(folder, incomingName);
    const { size } = await stat(incoming);
    await rename(incoming, join(folder, "data"));
    return change(container, meta, {
      size,
      copy: { ...copy, status: "success", copied: size },
      etag: newEtag(),
      lastModified: copy.completes,
    });
  }
  if (rehydration !== undefined && Date.parse(rehydration.completes) <= now.getTime()) {
    return change(container, meta, { tier: rehydration.tier, rehydration: undefined });
  }
  return meta;
}

function change(container: Container, meta: BlobMeta, changes: Partial<BlobMeta>): BlobMeta {
  container.blobs.update(meta, changes);
  return container.current(meta.key) ?? meta;
}
