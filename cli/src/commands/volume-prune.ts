import { isKind, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import { findOrphanedCopies } from "@flotilla/sdk/volumes";
import type { OrphanedCopy } from "@flotilla/sdk/volumes";

import { UsageError } from "../cli-error.ts";
import type { OpenedVolumes, Session } from "../session.ts";

/** A copy that nobody needs, and what became of it. */
export interface PrunedCopy {
  readonly orphan: OrphanedCopy;
  readonly outcome: "kept" | "deleted" | "failed";
  /** Why it could not be deleted; empty otherwise. */
  readonly detail: string;
}

/** Finds the copies that nobody needs, and deletes them where that is asked for. One that fails does not keep the others. */
export async function pruneCopies(
  session: Session,
  { client, location }: OpenedVolumes,
  { isDeleting }: { readonly isDeleting: boolean },
): Promise<readonly PrunedCopy[]> {
  const call = { ...session.call, log: silentLogger };
  if ((await client.copies.targets(call)).length === 0)
    throw new UsageError(
      `the location ${location.name} copies nowhere: set its key copyToRegions to the regions whose copies are to be looked at, or copyToRepository for restic`,
    );
  const orphans = await findOrphanedCopies(client.copies, call);
  if (!isDeleting) return orphans.map((orphan) => ({ orphan, outcome: "kept", detail: "" }));
  const pruned: PrunedCopy[] = [];
  for (const orphan of orphans) pruned.push(await pruneCopy(session, client.copies, orphan));
  return pruned;
}

async function pruneCopy(
  session: Session,
  copies: OpenedVolumes["client"]["copies"],
  orphan: OrphanedCopy,
): Promise<PrunedCopy> {
  const { region, copyId } = orphan.copy;
  try {
    await copies.deleteCopy({ region, copyId }, session.call);
  } catch (error) {
    session.context.signal.throwIfAborted();
    if (!isKind(error, "not-found")) return { orphan, outcome: "failed", detail: PluginError.from(error).message };
  }
  session.progress.note(`deleted ${copyId} in ${region}`);
  return { orphan, outcome: "deleted", detail: "" };
}
