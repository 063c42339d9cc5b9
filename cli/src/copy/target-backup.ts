import { isKind, PluginError } from "@flotilla/sdk/plugin";

import { metadataFile, readMetadata, readMetadataIfThere } from "./backup-metadata.ts";
import type { BackupMetadata } from "./backup-metadata.ts";
import { describeSide, listFiles, sideOf } from "./paired-object.ts";
import type { PairRun } from "./paired-object.ts";

/**
 * What the target has of a backup of this name. `absent`: nothing that a server takes for a backup; `same`: its metadata,
 * byte for byte, so that an earlier copy came to its end; `earlier`: another state of the same backup; `other`: another
 * backup, or one whose metadata cannot be read.
 */
type TargetStanding = "absent" | "same" | "earlier" | "other";

/** A backup's folder at the target. */
export interface TargetBackup {
  readonly name: string;
  readonly standing: TargetStanding;
  readonly files: readonly string[];
  /** Those that the backup at the source does not have. */
  readonly extras: readonly string[];
  /** The size of its metadata; 0 where there are none. */
  readonly metadataBytes: number;
  readonly detail: string;
}

/** Looks at the target's folder. */
export async function findTarget(
  run: PairRun,
  name: string,
  source: { readonly metadata: BackupMetadata; readonly files: readonly string[] },
): Promise<TargetBackup> {
  const { session, stores } = run;
  const files = await listFiles(session, stores.to, name);
  const extras = files.filter((file) => file !== metadataFile && !source.files.includes(file));
  const found = { name, files, extras, metadataBytes: 0 };
  try {
    if (!files.includes(metadataFile)) return { ...found, standing: "absent", detail: "" };
    const metadata = await readMetadata(session, stores.to, name);
    if (metadata.bytes.equals(source.metadata.bytes)) {
      return { ...found, standing: "same", metadataBytes: metadata.bytes.length, detail: "" };
    }
    const isEarlier = metadata.uid !== "" && metadata.uid === source.metadata.uid;
    const detail = `one that started at ${metadata.startedAt || "an unknown time"} with uid ${metadata.uid || "(none)"}`;
    return { ...found, standing: isEarlier ? "earlier" : "other", detail };
  } catch (error) {
    if (!isKind(error, "corrupt")) throw error;
    return { ...found, standing: "other", detail: `one that cannot be read: ${error.message}` };
  }
}

/**
 * Makes room: what is not this backup is refused, unless it may be overwritten. Where the metadata there are not the
 * source's they are removed before anything else is touched: from here to the end no server sees a backup of this name.
 */
export async function clearTarget(
  run: PairRun,
  target: TargetBackup,
  { overwrites }: { readonly overwrites: boolean },
): Promise<void> {
  if (target.standing === "same") return;
  if (!overwrites) refuseForeign(run, target);
  if (target.standing === "other") await refuseHeld(run, target);
  if (target.standing === "absent") return;
  const { store, object } = sideOf(run.stores.to, target.name, metadataFile);
  await store.client.deleteObject(object, run.session.call);
  run.session.progress.note(`${target.name}: removed the former ${metadataFile} at the target`);
}

/** Removes what the backup does not have: a server would read it as a part of the backup. */
export async function removeExtras(run: PairRun, { name, extras }: TargetBackup): Promise<void> {
  for (const file of extras) {
    const { store, object } = sideOf(run.stores.to, name, file);
    await store.client.deleteObject(object, run.session.call);
    run.session.progress.note(`${name}: removed ${file} at the target, which is not of this backup`);
  }
}

/** Nobody else may have stored a backup of this name meanwhile; another run of this very copy may. */
export async function refuseNewcomer(run: PairRun, name: string, source: BackupMetadata): Promise<void> {
  const { session, stores } = run;
  const newcomer = await readMetadataIfThere(session, stores.to, name);
  if (newcomer === undefined || newcomer.bytes.equals(source.bytes)) return;
  throw new PluginError(
    `another backup ${name} was stored in bucket "${stores.to.location.bucket}" while this one was copied: choose one of them, and copy it again with --overwrite`,
    { kind: "conflict" },
  );
}

function refuseForeign({ stores }: PairRun, { name, standing, extras, detail }: TargetBackup): void {
  const where = `in bucket "${stores.to.location.bucket}"`;
  if (standing === "other") {
    throw new PluginError(
      `there is another backup ${name} ${where}, ${detail}: nothing was copied; --overwrite replaces it`,
      { kind: "conflict" },
    );
  }
  if (extras.length === 0) return;
  throw new PluginError(
    `the folder of backup ${name} ${where} holds what is not of this backup (${extras.join(", ")}): nothing was copied; --overwrite removes it`,
    { kind: "conflict" },
  );
}

/** Half of an overwritten backup helps nobody: where anything of it is held, nothing is touched. */
async function refuseHeld(run: PairRun, { name, files }: TargetBackup): Promise<void> {
  for (const file of files) {
    const side = sideOf(run.stores.to, name, file);
    const hold = (await describeSide(run.session, side))?.hold ?? "";
    if (hold === "") continue;
    throw new PluginError(
      `overwrite backup ${name} in bucket "${side.object.bucket}": ${file} is ${hold}; nothing was changed: copy to another prefix or bucket, or wait`,
      { kind: "held" },
    );
  }
}
