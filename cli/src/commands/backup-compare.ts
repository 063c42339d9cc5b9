import type { Report } from "../context.ts";
import { compareBackup } from "../copy/compare-backup.ts";
import type { ComparedBackup } from "../copy/compare-backup.ts";
import type { Reading } from "../copy/compare-object.ts";
import { Lanes } from "../copy/lanes.ts";
import { listNames, selectBackups } from "../copy/select-backups.ts";
import type { Selection } from "../copy/select-backups.ts";
import { printStore } from "../location-sides.ts";
import type { StorePair } from "../location-sides.ts";
import { formatTable } from "../output/table.ts";
import { formatBytes } from "../output/units.ts";
import type { Session } from "../session.ts";

/** What to compare, and how. */
export interface CompareRequest {
  readonly selection: Selection;
  readonly parallel: number;
  readonly reading: Reading;
  /** Whether what is at --to only makes no difference, as where the source's older backups have expired. */
  readonly ignoresExtra: boolean;
}

/** What comparing two locations showed. */
export interface ComparedBackups {
  readonly from: string;
  readonly to: string;
  readonly isSame: boolean;
  readonly backups: readonly ComparedBackup[];
}

const harmless: ReadonlySet<string> = new Set(["same", "unfinished"]);

/** Compares backups of two locations; with all of them selected, those that only --to has too. */
export async function compareBackups(
  session: Session,
  stores: StorePair,
  request: CompareRequest,
): Promise<ComparedBackups> {
  const { selection, parallel, reading, ignoresExtra } = request;
  const selected = await selectBackups(session, stores.from, selection);
  const others = selection.kind === "all" ? await listNames(session, stores.to) : [];
  const names = [...new Set([...selected, ...others])];
  const doing = names.length === 1 ? `comparing ${names[0]}` : `comparing ${names.length} backups`;
  const { signal } = session.context;
  const run = { session, stores, lanes: new Lanes(parallel), transfer: session.progress.begin(doing), signal };
  const turns = new Lanes(parallel);
  const settings = { reading, skipsUnfinished: selection.kind !== "named" };
  const compared = await Promise.all(
    names.map((name) =>
      turns.run(async () => {
        session.context.signal.throwIfAborted();
        return await compareBackup(run, name, settings);
      }),
    ),
  );
  const backups = ignoresExtra ? compared.filter(({ standing }) => standing !== "extra") : compared;
  // A wrong prefix, or a location that was emptied, must not read as one in which everything is the same.
  const isSame = selected.length > 0 && backups.every(({ standing }) => harmless.has(standing));
  return { from: printStore(stores.from), to: printStore(stores.to), isSame, backups };
}

/** The differences for people, everything for JSON. */
export function reportCompared(compared: ComparedBackups): Report {
  const { backups, isSame } = compared;
  const rows = backups.map(({ name, standing, objects, detail }) => [name, standing, String(objects.length), detail]);
  const table = rows.length === 0 ? "" : `${formatTable(["backup", "standing", "objects", "detail"], rows)}\n`;
  return { json: compared, text: `${table}${objectTable(backups)}${summary(compared)}\n`, isFailure: !isSame };
}

/** Of one backup all objects; of several those that are not the same. */
function objectTable(backups: readonly ComparedBackup[]): string {
  const rows = backups.flatMap(({ name, objects }) =>
    objects
      .filter(({ standing }) => backups.length === 1 || standing !== "same")
      .map((object) => [
        name,
        object.file,
        object.standing,
        object.fromBytes === undefined ? "-" : formatBytes(object.fromBytes),
        object.toBytes === undefined ? "-" : formatBytes(object.toBytes),
        object.evidence,
        object.detail,
      ]),
  );
  if (rows.length === 0) return "";
  return `${formatTable(["backup", "object", "standing", "from", "to", "judged by", "detail"], rows)}\n`;
}

function summary({ from, to, isSame, backups }: ComparedBackups): string {
  const unverifiable = backups.flatMap(({ objects }) => objects.filter(({ standing }) => standing === "unverifiable"));
  const differing = backups.filter(({ standing }) => !harmless.has(standing)).length;
  if (!isSame && differing === 0) return `NOTHING was compared between ${from} and ${to}: there is no backup at --from`;
  const verdict = isSame ? "no differences" : `${differing} of ${backups.length} backups DIFFER`;
  const caution =
    unverifiable.length === 0
      ? ""
      : `; of ${unverifiable.length} objects only the size was compared (--read needed reads them)`;
  const unfinished = backups.filter(({ standing }) => standing === "unfinished").length;
  const passedOver = unfinished === 0 ? "" : `; ${unfinished} passed over, since the server is not done with them`;
  const remedy = isSame ? "" : "\nflotilla backup copy brings what is missing or damaged at --to";
  return `${verdict} between ${from} and ${to}${caution}${passedOver}${remedy}`;
}
