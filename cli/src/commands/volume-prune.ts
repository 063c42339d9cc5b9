import { isKind, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import { findOrphanedCopies } from "@flotilla/sdk/volumes";
import type { Call, SnapshotCopier } from "@flotilla/sdk/plugin";
import type { OrphanedCopy, OrphanSearch } from "@flotilla/sdk/volumes";

import { UsageError } from "../cli-error.ts";
import type { Session } from "../session.ts";
import type { CopyingLocation } from "./volume-copy.ts";

/** A copy that nobody needs, and what became of it. */
interface PrunedCopy {
  readonly orphan: OrphanedCopy;
  readonly outcome: "kept" | "deleted" | "failed";
  /** Why it could not be deleted, or was not; empty otherwise. */
  readonly detail: string;
}

/** What is to be done with them. */
export interface PruneRequest {
  readonly isDeleting: boolean;
  /** Whether to delete even where most of the snapshots that were copied are gone. */
  readonly evenMost: boolean;
}

/** What was found, and what became of it. */
export interface Pruned {
  readonly copies: readonly PrunedCopy[];
  /** Why nothing of it is deleted without a further word; empty where it is what expires day by day. */
  readonly caution: string;
}

/** Finds the copies that nobody needs, and deletes them where that is asked for. One that fails does not keep the others. */
export async function pruneCopies(
  session: Session,
  { client, location }: CopyingLocation,
  { isDeleting, evenMost }: PruneRequest,
): Promise<Pruned> {
  const call = callOf(session);
  if ((await client.copies.targets(call)).length === 0)
    throw new UsageError(
      `the location ${location.name} copies nowhere: set its key copyToRegions to the regions whose copies are to be looked at, or copyToRepository for restic`,
    );
  const search = await findOrphanedCopies(client.copies, call);
  const caution = evenMost ? "" : cautionOf(search);
  if (!isDeleting)
    return { copies: search.orphans.map((orphan) => ({ orphan, outcome: "kept", detail: "" })), caution };
  if (caution !== "") throw new PluginError(`nothing was deleted: ${caution}`, { kind: "conflict" });
  const copies: PrunedCopy[] = [];
  for (const orphan of search.orphans) {
    const isInterrupted = session.context.signal.aborted;
    // What was deleted before is told, also to whoever reads the result only.
    copies.push(isInterrupted ? interrupted(orphan, "kept") : await pruneCopy(session, client.copies, orphan));
  }
  return { copies, caution };
}

/**
 * Snapshots that were deleted one by one, as backups expire, are few beside those that are left. Where most are gone at
 * once, a region, an account or a repository was lost, emptied or confused with another, and the copies are what is left.
 */
function cautionOf({ copiedSnapshots, goneSnapshots }: OrphanSearch): string {
  if (goneSnapshots * 2 <= copiedSnapshots) return "";
  return (
    `${goneSnapshots} of the ${copiedSnapshots} snapshots that have copies are gone, as after the loss of a region, an account or a ` +
    "repository, whose copies are all that is left: look where the snapshots went, and add --even-most where they are not needed"
  );
}

async function pruneCopy(session: Session, copies: SnapshotCopier, orphan: OrphanedCopy): Promise<PrunedCopy> {
  const { region, copyId } = orphan.copy;
  try {
    await copies.deleteCopy({ region, copyId }, callOf(session));
  } catch (error) {
    if (session.context.signal.aborted) return interrupted(orphan, "failed");
    if (!isKind(error, "not-found")) return { orphan, outcome: "failed", detail: PluginError.from(error).message };
  }
  session.progress.note(`deleted ${copyId} in ${region}`);
  return { orphan, outcome: "deleted", detail: "" };
}

function interrupted(orphan: OrphanedCopy, outcome: "failed" | "kept"): PrunedCopy {
  return {
    orphan,
    outcome,
    detail: outcome === "failed" ? "interrupted: it may be deleted all the same" : "interrupted",
  };
}

function callOf(session: Session): Call {
  return { ...session.call, log: silentLogger };
}
