import type { Call, SnapshotCopier, SnapshotCopy } from "../plugin/index.ts";
import { bestCopy } from "./copy-plan.ts";

/** A copy that nobody needs. */
export interface OrphanedCopy {
  readonly copy: SnapshotCopy;
  /** `origin-gone`: what it is a copy of was deleted; `duplicate`: the target has a better copy of the same. */
  readonly reason: "origin-gone" | "duplicate";
}

/** What the search for them came to. */
export interface OrphanSearch {
  readonly orphans: readonly OrphanedCopy[];
  /** Of how many snapshots there are copies, and how many of those snapshots are gone. */
  readonly copiedSnapshots: number;
  readonly goneSnapshots: number;
}

// As many ids as every cloud takes in one filter.
const idsPerQuery = 100;

/**
 * Finds the copies that nobody needs, in every target. An origin counts as gone only when it is neither among all
 * snapshots of the location nor found by its own id, and any failure ends the search: a region that cannot be reached
 * must never look like one whose snapshots were deleted.
 */
export async function findOrphanedCopies(copier: SnapshotCopier, call: Call): Promise<OrphanSearch> {
  const copies: SnapshotCopy[] = [];
  for (const { region } of await copier.targets(call))
    for await (const copy of copier.listCopies({ region }, call)) copies.push(copy);
  const known = new Set<string>();
  for await (const { snapshotId } of copier.listOrigins({}, call)) known.add(snapshotId);
  // A copy that does not say what it is a copy of is nobody's orphan.
  const copied = new Set(copies.flatMap(({ originId }) => (originId === "" ? [] : [originId])));
  const doubtful = [...copied].filter((originId) => !known.has(originId));
  for (let at = 0; at < doubtful.length; at += idsPerQuery)
    for await (const { snapshotId } of copier.listOrigins({ snapshotIds: doubtful.slice(at, at + idsPerQuery) }, call))
      known.add(snapshotId);
  const byPlace = Map.groupBy(copies, ({ region, originId }) => JSON.stringify([region, originId]));
  const orphans = copies.flatMap((copy): OrphanedCopy[] => {
    if (!copied.has(copy.originId)) return [];
    if (!known.has(copy.originId)) return [{ copy, reason: "origin-gone" }];
    const same = byPlace.get(JSON.stringify([copy.region, copy.originId])) ?? [];
    // A failed one is no duplicate: it is removed by whoever makes it again.
    return copy.state === "failed" || bestCopy(same) === copy ? [] : [{ copy, reason: "duplicate" }];
  });
  const goneSnapshots = doubtful.filter((originId) => !known.has(originId)).length;
  return { orphans, copiedSnapshots: copied.size, goneSnapshots };
}
