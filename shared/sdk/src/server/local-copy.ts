import { PluginError } from "../plugin/index.ts";
import type { SnapshotCopy } from "../plugin/index.ts";

/**
 * The copy that stands in for a snapshot of another region: the newest complete one; undefined where there is none at all.
 * One that is still on its way, or has failed, is an error that says so: nothing can be restored from it.
 */
export function chooseCopy(snapshotId: string, copies: readonly SnapshotCopy[]): SnapshotCopy | undefined {
  const [newest] = copies
    .filter(({ state }) => state === "completed")
    .toSorted((a, b) => (b.startedAt?.getTime() ?? 0) - (a.startedAt?.getTime() ?? 0));
  if (newest !== undefined) return newest;
  const pending = copies.find(({ state }) => state === "pending");
  if (pending !== undefined)
    throw new PluginError(
      `the snapshot "${snapshotId}" is of region ${pending.originRegion}, and its copy ${pending.copyId} in ` +
        `${pending.region} is not complete (${Math.floor(pending.progressPercent)} %); try again later`,
      { kind: "unavailable" },
    );
  const [failed] = copies;
  if (failed === undefined) return undefined;
  const reason = failed.detail === "" ? "" : ` (${failed.detail})`;
  throw new PluginError(
    `the snapshot "${snapshotId}" is of region ${failed.originRegion}, and its copy ${failed.copyId} in ` +
      `${failed.region} failed${reason}; restore from another backup, or copy it again while its region is there`,
    { kind: "incomplete" },
  );
}
