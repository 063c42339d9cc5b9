import { isKind, PluginError } from "@flotilla/sdk/plugin";

import { isFinished } from "../backup-layout/backup-facts.ts";
import { describeError } from "../session.ts";
import { metadataFile, readMetadata } from "./backup-metadata.ts";
import { compareObject } from "./compare-object.ts";
import type { ComparedObject, Reading } from "./compare-object.ts";
import { describeSide, listFiles, sideOf } from "./paired-object.ts";
import type { PairRun } from "./paired-object.ts";

/**
 * How a backup of two locations compares. `same`; `different`; `missing` at --to; `extra`: at --to only; `unfinished`: the
 * server still writes it at --from; `failed`: it could not be compared.
 */
type BackupStanding = "same" | "different" | "missing" | "extra" | "unfinished" | "failed";

/** One backup, compared. */
export interface ComparedBackup {
  readonly name: string;
  readonly standing: BackupStanding;
  readonly objects: readonly ComparedObject[];
  readonly detail: string;
}

/** How backups are compared. */
export interface CompareSettings {
  readonly reading: Reading;
  /** Whether one that the server still writes is passed over. */
  readonly skipsUnfinished: boolean;
}

// Nothing that was compared differed.
const harmless: ReadonlySet<string> = new Set(["same", "unverifiable"]);

/** Compares all objects of a backup. What keeps it from that is its standing; only an interruption is thrown. */
export async function compareBackup(run: PairRun, name: string, settings: CompareSettings): Promise<ComparedBackup> {
  try {
    return await compareOrThrow(run, name, settings);
  } catch (error) {
    run.session.context.signal.throwIfAborted();
    return { name, standing: "failed", objects: [], detail: describeError(error).message };
  }
}

async function compareOrThrow(run: PairRun, name: string, settings: CompareSettings): Promise<ComparedBackup> {
  const { session, stores, lanes } = run;
  const [here, there] = [await listFiles(session, stores.from, name), await listFiles(session, stores.to, name)];
  if (here.length === 0 && there.length === 0) {
    throw new PluginError(`backup ${name} not found in either location`, { kind: "not-found" });
  }
  if (here.length === 0) return { name, standing: "extra", objects: [], detail: "at --to only" };
  // Metadata that --to has and --from has not were lost there, or are just being deleted: no writer is at work.
  const isLost = !here.includes(metadataFile) && there.includes(metadataFile);
  if (settings.skipsUnfinished && !isLost && !(await isDone(run, name, here))) {
    return { name, standing: "unfinished", objects: [], detail: "the server is not done with it at --from" };
  }
  if (there.length === 0) return { name, standing: "missing", objects: [], detail: "not at --to" };
  const files = [...new Set([...here, ...there])].sort();
  const objects = await Promise.all(
    files.map((file) =>
      lanes.run(async () => {
        if (here.includes(file) && there.includes(file)) {
          return await compareObject(run, name, file, settings.reading);
        }
        return await lonely(run, name, file, here.includes(file));
      }),
    ),
  );
  const differing = objects.filter(({ standing }) => !harmless.has(standing)).length;
  const detail = differing === 0 ? "" : `${differing} of ${objects.length} objects differ`;
  return { name, standing: differing === 0 ? "same" : "different", objects, detail };
}

/** Whether the server is done with it; one whose metadata cannot be read is compared, so that its fault is told. */
async function isDone({ session, stores }: PairRun, name: string, files: readonly string[]): Promise<boolean> {
  if (!files.includes(metadataFile)) return false;
  try {
    return isFinished(await readMetadata(session, stores.from, name));
  } catch (error) {
    if (isKind(error, "corrupt")) return true;
    throw error;
  }
}

/** An object of one location only. */
async function lonely(run: PairRun, backup: string, file: string, isHere: boolean): Promise<ComparedObject> {
  const store = isHere ? run.stores.from : run.stores.to;
  const description = await describeSide(run.session, sideOf(store, backup, file));
  const bytes = description === undefined ? undefined : Number(description.sizeBytes);
  return {
    file,
    standing: isHere ? "missing" : "extra",
    evidence: "listed",
    detail: isHere ? "not at --to" : "at --to only",
    fromBytes: isHere ? bytes : undefined,
    toBytes: isHere ? undefined : bytes,
  };
}
