import { randomUUID } from "node:crypto";
import { nameOf } from "@flotilla/sdk/objects";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, ObjectRef } from "@flotilla/sdk/plugin";
import type { ObjectVersion } from "./object-index.ts";
import { storeRecord } from "./object-upload.ts";
import type { Repository } from "./repository.ts";
import { forgetSnapshots } from "./snapshot-removal.ts";
import type { RepositoryView } from "./repository-view.ts";

/**
 * Removes an object: its snapshots are forgotten, the oldest version first, so that none comes back where this is cut
 * short. Where that cannot be now, because somebody else uses the repository or the store allows no removal, a record
 * says that the object is deleted, and its snapshots are forgotten later.
 */
export async function removeObject(
  repository: Repository,
  view: RepositoryView,
  object: ObjectRef,
  call: Call,
): Promise<void> {
  // As of now: a version that another process has just made must not outlive this.
  const index = await view.complete(call);
  const versions = index.versions(object);
  if (versions.length === 0) return;
  if (repository.gate.isFree && (await isForgotten(repository, view, versions, call))) return;
  if (versions[0]?.content === undefined) return;
  const order = Math.max(Date.now(), index.lastOrder + 1);
  const deletion = { ...object, upload: randomUUID(), order, content: undefined };
  const recordId = await storeRecord(repository, deletion, call);
  view.made({ ...deletion, recordId, dataId: undefined });
}

async function isForgotten(
  repository: Repository,
  view: RepositoryView,
  versions: readonly ObjectVersion[],
  call: Call,
): Promise<boolean> {
  const [newest, ...older] = versions;
  try {
    if (older.length > 0) await forgetVersions(repository, view, older, call);
    if (newest !== undefined) await forgetVersions(repository, view, [newest], call);
    return true;
  } catch (error) {
    call.signal.throwIfAborted();
    const { kind, message } = PluginError.from(error);
    if (kind !== "held" && kind !== "denied") throw error;
    call.log.info("an object is marked as deleted; its snapshots are forgotten later", { reason: message });
    return false;
  }
}

/** Forgets versions of objects that nobody shall see. */
export async function forgetVersions(
  repository: Pick<Repository, "run">,
  view: Pick<RepositoryView, "removed">,
  versions: readonly ObjectVersion[],
  call: Call,
): Promise<void> {
  const [first] = versions;
  if (first === undefined) return;
  const ids = new Set(versions.flatMap(({ recordId, dataId }) => [recordId, dataId ?? recordId]));
  await forgetSnapshots(repository, [...ids], `delete ${nameOf(first)}`, call);
  for (const version of versions) view.removed(version);
}
