import type { CopyStatus, OrphanedCopy } from "@flotilla/sdk/volumes";

import type { Report } from "../context.ts";
import { formatTable } from "../output/table.ts";
import type { CopyResult } from "./volume-copy.ts";
import type { Pruned } from "./volume-prune.ts";

/** How the copies stand: a failure unless everything that is wanted is complete. */
export function reportCopies({ statuses, missing, deleted }: CopyResult): Report {
  const isComplete = missing.length === 0 && statuses.every(({ state }) => state === "completed");
  const rows = [
    ...statuses.map(rowOf),
    ...missing.map((snapshotId) => absentRow(snapshotId, "missing", "there is no such snapshot")),
    ...deleted.map((snapshotId) => absentRow(snapshotId, "deleted", "while its copies were made")),
  ];
  const header = ["snapshot", "backup", "region", "copy", "state", "progress", "detail"];
  const counted = `${statuses.filter(({ state }) => state === "completed").length} of ${statuses.length} copies complete`;
  return {
    isFailure: !isComplete,
    json: { complete: isComplete, copies: statuses.map(jsonOf), missing, deleted },
    text: rows.length === 0 ? "no snapshots to copy\n" : `${formatTable(header, rows)}\n${counted}\n`,
  };
}

/** What prune found, and did. */
export function reportPruned({ copies, caution }: Pruned, isDeleting: boolean): Report {
  const rows = copies.map(({ orphan: { copy, reason }, outcome, detail }) => [
    copy.copyId,
    copy.region,
    copy.originId,
    reasonTexts[reason],
    outcome,
    detail,
  ]);
  const advice = caution === "" ? "add --delete to do it" : caution;
  const hint = isDeleting ? "" : `\nnothing was deleted: ${advice}\n`;
  return {
    isFailure: copies.some(({ outcome }) => outcome === "failed" || (isDeleting && outcome === "kept")),
    json: {
      deleted: isDeleting,
      caution,
      copies: copies.map(({ orphan: { copy, reason }, outcome, detail }) => ({
        copyId: copy.copyId,
        region: copy.region,
        snapshotId: copy.originId,
        reason,
        outcome,
        detail,
      })),
    },
    text:
      rows.length === 0
        ? "no copy without need\n"
        : `${formatTable(["copy", "region", "of snapshot", "reason", "outcome", "detail"], rows)}${hint}`,
  };
}

const reasonTexts: Readonly<Record<OrphanedCopy["reason"], string>> = {
  "origin-gone": "the snapshot is gone",
  duplicate: "there is a better copy",
};

function absentRow(snapshotId: string, state: string, detail: string): readonly string[] {
  return [snapshotId, "-", "-", "-", state, "-", detail];
}

function rowOf({ origin, region, copyId, state, progressPercent, detail }: CopyStatus): readonly string[] {
  const progress = state === "pending" ? `${Math.floor(progressPercent)} %` : "-";
  return [origin.snapshotId, origin.backup, region, copyId ?? "-", state, progress, detail];
}

function jsonOf({ origin, region, copyId, state, progressPercent, detail }: CopyStatus): Record<string, unknown> {
  const { snapshotId, volumeId, backup } = origin;
  return { snapshotId, volumeId, backup, region, copyId: copyId ?? null, state, progressPercent, detail };
}
