import type { Report } from "../context.ts";
import { copyBackup } from "../copy/copy-backup.ts";
import type { CopiedBackup, CopyResult } from "../copy/copy-backup.ts";
import { Lanes } from "../copy/lanes.ts";
import { listNames, selectBackups } from "../copy/select-backups.ts";
import type { Selection } from "../copy/select-backups.ts";
import { printStore } from "../location-sides.ts";
import type { StorePair } from "../location-sides.ts";
import { formatTable } from "../output/table.ts";
import { formatBytes, formatDuration } from "../output/units.ts";
import type { Session } from "../session.ts";

/** What to copy, and how. */
export interface CopyRequest {
  readonly selection: Selection;
  readonly parallel: number;
  readonly overwrites: boolean;
  readonly rechecks: boolean;
}

/** What a run came to. */
export interface CopiedBackups {
  readonly from: string;
  readonly to: string;
  readonly backups: readonly CopiedBackup[];
  readonly durationMs: number;
}

/** Copies backups from one location to another. */
export async function copyBackups(session: Session, stores: StorePair, request: CopyRequest): Promise<CopiedBackups> {
  const clock = performance.now();
  const { selection, parallel, overwrites } = request;
  const names = await selectBackups(session, stores.from, selection);
  // A target that is not there, or refuses, fails the run at once rather than each backup after all its tries.
  await listNames(session, stores.to);
  const isNamed = selection.kind === "named";
  const settings = { overwrites, rechecks: request.rechecks || isNamed, skipsUnfinished: !isNamed };
  let done = 0;
  const doing = (): string => (names.length === 1 ? `copying ${names[0]}` : `copying, ${done} of ${names.length} done`);
  const { signal } = session.context;
  const run = { session, stores, lanes: new Lanes(parallel), transfer: session.progress.begin(doing), signal };
  const turns = new Lanes(parallel);
  const backups = await Promise.all(
    names.map((name) =>
      turns.run(async () => {
        session.context.signal.throwIfAborted();
        const copied = await copyBackup(run, name, settings);
        done += 1;
        return copied;
      }),
    ),
  );
  return {
    from: printStore(stores.from),
    to: printStore(stores.to),
    backups,
    durationMs: Math.round(performance.now() - clock),
  };
}

/** The result for people and for JSON. */
export function reportCopied(copied: CopiedBackups): Report {
  const { backups } = copied;
  // Of many, those that are there already are only counted: each round of a CronJob would list them all.
  const told = backups.length === 1 ? backups : backups.filter(({ result }) => result !== "present");
  const rows = told.map(({ name, result, objects, detail, volumesLeftBehind }) => {
    const moved = objects.filter((object) => object.result !== "present");
    const bytes = moved.reduce((sum, object) => sum + object.bytes, 0);
    return [
      name,
      result,
      String(moved.length),
      String(objects.length - moved.length),
      formatBytes(bytes),
      remark(detail, volumesLeftBehind),
    ];
  });
  const table = rows.length === 0 ? "" : formatTable(["backup", "result", "copied", "present", "size", "detail"], rows);
  const [only] = backups;
  const objects = backups.length === 1 && only !== undefined && only.objects.length > 0 ? `\n${objectTable(only)}` : "";
  return {
    json: copied,
    text: `${table}${objects}${rows.length === 0 ? "" : "\n"}${summary(copied)}\n`,
    isFailure: backups.some(({ result }) => result === "failed"),
  };
}

function remark(detail: string, volumes: string): string {
  return [detail, volumes === "" ? "" : `its volumes are not copied (${volumes})`].filter(Boolean).join("; ");
}

function objectTable({ objects }: CopiedBackup): string {
  const rows = objects.map((object) => [
    object.file,
    object.result,
    formatBytes(object.bytes),
    object.fromChecksum,
    object.toChecksum,
    object.evidence,
  ]);
  return formatTable(["object", "result", "size", "recorded at --from", "recorded at --to", "proof"], rows);
}

function summary({ from, to, backups, durationMs }: CopiedBackups): string {
  const count = (wanted: CopyResult): number => backups.filter(({ result }) => result === wanted).length;
  const parts = (["copied", "repaired", "present", "unfinished", "failed"] as const)
    .filter((result) => count(result) > 0)
    .map((result) => `${count(result)} ${result === "failed" ? "FAILED" : result}`);
  const what = backups.length === 0 ? "no backups to copy" : `backups: ${parts.join(", ")}`;
  return `${what}; from ${from} to ${to} in ${formatDuration(durationMs)}`;
}
