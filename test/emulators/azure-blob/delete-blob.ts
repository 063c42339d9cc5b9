import { BlobError, invalidHeader } from "./blob-error.ts";
import type { BlobMeta } from "./blob-meta.ts";
import { blobNameOf, containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import type { Container } from "./container.ts";
import { findBlob } from "./find-blob.ts";
import { checkMutable } from "./new-blob.ts";

/** Delete Blob. */
export async function deleteBlob(call: Call): Promise<Answer> {
  const container = containerOf(call);
  const name = blobNameOf(call);
  const { meta, isCurrent, isSnapshot } = await findBlob(call, container, name, call.query);
  checkWriteConditions(call.headers, meta);
  if (isSnapshot) {
    checkMutable(meta, call.now);
    container.snapshots.remove(meta);
  } else if (call.query.has("versionid")) {
    if (isCurrent) throw new BlobError("OperationNotAllowedOnRootBlob");
    checkMutable(meta, call.now);
    container.remove(meta);
  } else {
    deleteCurrent(call, container, meta);
  }
  return { status: 202, headers: { "x-ms-delete-type-permanent": String(call.account.isVersioned !== true) } };
}

function deleteCurrent(call: Call, container: Container, meta: BlobMeta): void {
  if (meta.copy?.status === "pending") throw new BlobError("PendingCopyOperation");
  const snapshots = container.snapshots.versions(meta.key);
  const scope = readScope(call);
  if (snapshots.length > 0 && scope === undefined) throw new BlobError("SnapshotsPresent");
  if (scope !== undefined) {
    for (const snapshot of snapshots) checkMutable(snapshot, call.now);
  }
  if (scope === "only") {
    for (const snapshot of snapshots) container.snapshots.remove(snapshot);
    return;
  }
  if (call.account.isVersioned !== true) checkMutable(meta, call.now);
  for (const snapshot of snapshots) container.snapshots.remove(snapshot);
  if (call.account.isVersioned === true) container.blobs.publish(markerOf(call, meta), undefined);
  else container.remove(meta);
}

// With versions a deleted blob stays as one that is not current; the marker keeps its place free.
function markerOf(call: Call, meta: BlobMeta): BlobMeta {
  return {
    ...meta,
    versionId: call.state.nextTimestamp(call.now),
    sequence: call.state.nextSequence(),
    isDeleteMarker: true,
  };
}

function readScope(call: Call): "include" | "only" | undefined {
  const value = call.headers.get("x-ms-delete-snapshots");
  if (value === undefined || value === "include" || value === "only") return value;
  throw invalidHeader("x-ms-delete-snapshots", value);
}
