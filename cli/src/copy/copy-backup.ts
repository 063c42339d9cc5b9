import { isKind, PluginError } from "@flotilla/sdk/plugin";

import { isFinished, mayBeStored } from "../backup-layout/backup-facts.ts";
import { backupKeys } from "../backup-layout/keys.ts";
import { lostFiles } from "../backup-layout/lost-files.ts";
import { describeError } from "../session.ts";
import { metadataFile, readMetadata, readMetadataIfThere } from "./backup-metadata.ts";
import type { BackupMetadata } from "./backup-metadata.ts";
import { compareObject } from "./compare-object.ts";
import type { ComparedObject } from "./compare-object.ts";
import { copyObject } from "./copy-object.ts";
import type { CopiedObject } from "./copy-object.ts";
import { listFiles } from "./paired-object.ts";
import type { PairRun } from "./paired-object.ts";
import { isSameSource, stampSource } from "./source-stamps.ts";
import type { SourceStamps } from "./source-stamps.ts";
import { clearTarget, findTarget, refuseNewcomer, removeExtras } from "./target-backup.ts";
import type { TargetBackup } from "./target-backup.ts";
import { volumesLeftBehind } from "./volumes-left-behind.ts";

/** How backups are copied. */
export interface CopySettings {
  /** Replace another backup of the same name. */
  readonly overwrites: boolean;
  /** Read what a complete copy has already: it may have rotted under its checksum. */
  readonly rechecks: boolean;
  /** Whether one that the server still writes is passed over rather than refused. */
  readonly skipsUnfinished: boolean;
}

/**
 * What became of a backup. `copied`: it became visible at the target; `repaired`: it was visible there, and lacked
 * something; `present`: nothing was to do; `unfinished`: the server still writes it; `failed`.
 */
export type CopyResult = "copied" | "repaired" | "present" | "unfinished" | "failed";

/** A backup, as it was copied. */
export interface CopiedBackup {
  readonly name: string;
  readonly result: CopyResult;
  readonly objects: readonly CopiedObject[];
  /** What is to know; why it failed. */
  readonly detail: string;
  /** Which volumes are not in the copy, in words; empty where none, or where nothing was copied. */
  readonly volumesLeftBehind: string;
  /** The kind of the error of one that failed. */
  readonly errorKind?: string;
}

/** Copies one backup. What is wrong with it is its result, so that others go on; only an interruption is thrown. */
export async function copyBackup(run: PairRun, name: string, settings: CopySettings): Promise<CopiedBackup> {
  const objects: CopiedObject[] = [];
  try {
    return await copyOrThrow(run, name, settings, objects);
  } catch (error) {
    run.session.context.signal.throwIfAborted();
    const { kind, message } = describeError(error);
    run.session.progress.note(`${name}: FAILED: ${message}`);
    return { name, result: "failed", objects, detail: message, volumesLeftBehind: "", errorKind: kind };
  }
}

async function copyOrThrow(
  run: PairRun,
  name: string,
  settings: CopySettings,
  objects: CopiedObject[],
): Promise<CopiedBackup> {
  const source = await readSource(run, name);
  const { files, metadata } = source;
  if (metadata === undefined || source.unfinished !== "") {
    if (settings.skipsUnfinished) {
      return { name, result: "unfinished", objects, detail: source.unfinished, volumesLeftBehind: "" };
    }
    throw new PluginError(`backup ${name} is not finished: ${source.unfinished}; copy it once the server is done`, {
      kind: "incomplete",
    });
  }
  const target = await findTarget(run, name, { files, metadata });
  const isComplete = target.standing === "same";
  const stamps: SourceStamps = isComplete ? new Map() : await stampSource(run, name, files);
  await clearTarget(run, target, settings);
  const work = files.map((file) => ({ file, isListed: target.files.includes(file) }));
  const ofComplete = settings.rechecks ? "there" : "never";
  const reading = isComplete ? ofComplete : "needed";
  await eachUntilFailure(run, work, async ({ file, isListed }, part) => {
    const former = isListed ? await compareObject(part, name, file, reading) : undefined;
    objects.push(await bringObject(part, { backup: name, file, former }));
  });
  if (isComplete) return finishedReport(name, objects, target);
  await removeExtras(run, target);
  await refuseChange(run, name, { metadata, stamps });
  await refuseNewcomer(run, name, metadata);
  const isReplacement = target.standing !== "absent";
  const order = { backup: name, file: metadataFile, isReplacement, bytes: metadata.bytes };
  objects.push(await run.lanes.run(() => copyObject(run, order)));
  const left = await volumesLeftBehind(run, name, files);
  const detail = expiryRemark(metadata, run.session.context.now());
  return { name, result: "copied", objects: sorted(objects), detail, volumesLeftBehind: left };
}

/** A copy that is deleted at once is no copy, and nobody would know why. */
function expiryRemark({ expiresAt }: BackupMetadata, now: Date): string {
  return Date.parse(expiresAt) < now.getTime()
    ? `it expired at ${expiresAt}: a server that syncs the target deletes it, unless the location is ReadOnly there`
    : "";
}

/** A backup at the source; what is not finished about it, where anything is. */
interface SourceBackup {
  /** Undefined where there are none. */
  readonly metadata: BackupMetadata | undefined;
  /** All but the metadata. */
  readonly files: readonly string[];
  readonly unfinished: string;
}

async function readSource({ session, stores: { from } }: PairRun, name: string): Promise<SourceBackup> {
  const keys = backupKeys(from.location.prefix, name);
  const files = await listFiles(session, from, name);
  if (files.length === 0) {
    throw new PluginError(
      `backup ${name} not found in bucket ${JSON.stringify(from.location.bucket)} below ${keys.folder}; ` +
        "flotilla backup list shows what there is",
      { kind: "not-found" },
    );
  }
  const others = files.filter((file) => file !== metadataFile);
  if (!files.includes(metadataFile)) {
    return { metadata: undefined, files: others, unfinished: `it has no ${metadataFile}` };
  }
  const metadata = await readMetadata(session, from, name);
  if (metadata.name !== name) {
    throw new PluginError(`backup ${name} has the ${metadataFile} of another backup, ${metadata.name}: not copied`, {
      kind: "corrupt",
    });
  }
  if (!isFinished(metadata)) {
    return { metadata, files: others, unfinished: `its phase is ${metadata.phase || "not set"}` };
  }
  const lost = lostFiles(name, others, metadata);
  if (lost.length > 0 && mayBeStored(metadata, session.context.now())) {
    const unfinished = `it lacks ${lost.join(", ")}, which the server may be storing just now`;
    return { metadata, files: others, unfinished };
  }
  refuseLoss(name, lost);
  return { metadata, files: others, unfinished: "" };
}

/** A copy of a backup that has lost something would look as whole as any other. */
function refuseLoss(name: string, lost: readonly string[]): void {
  if (lost.length === 0) return;
  const what = lost.includes(`${name}.tar.gz`) ? `its contents (${lost.join(", ")})` : lost.join(", ");
  throw new PluginError(
    `backup ${name} has lost ${what}: it cannot be restored as it was, and is not copied; flotilla backup download brings what is left`,
    { kind: "corrupt" },
  );
}

/** Makes an object be at the target: whatever is there and the same stays. */
async function bringObject(
  run: PairRun,
  order: {
    readonly backup: string;
    readonly file: string;
    readonly former: ComparedObject | undefined;
  },
): Promise<CopiedObject> {
  const { former, ...rest } = order;
  if (former === undefined) return await copyObject(run, { ...rest, isReplacement: false });
  if (former.standing === "same" || former.standing === "unverifiable") {
    return presentObject(order.file, former.fromBytes ?? former.toBytes ?? 0, former.evidence);
  }
  // Also where one side could not be read: if that was the source, reading it again says so.
  return await copyObject(run, { ...rest, isReplacement: former.standing !== "missing" });
}

function presentObject(file: string, bytes: number, evidence: string): CopiedObject {
  return { file, result: "present", bytes, evidence, sha256: "", crc32: "", fromChecksum: "", toChecksum: "" };
}

/** Does the work for each, as many at once as there are lanes. The first failure ends what is under way, and is thrown. */
async function eachUntilFailure<T>(
  run: PairRun,
  items: readonly T[],
  work: (item: T, run: PairRun) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([run.signal, failure.signal]);
  let first: { readonly error: unknown } | undefined;
  const all = items.map(async (item) => {
    try {
      await run.lanes.run(async () => {
        if (!signal.aborted) await work(item, { ...run, signal });
      });
    } catch (error) {
      first ??= { error };
      failure.abort();
    }
  });
  await Promise.all(all);
  run.signal.throwIfAborted();
  if (first !== undefined) throw first.error;
}

/** The objects are those of one backup only if it is still the same at their end, object by object. */
async function refuseChange(
  run: PairRun,
  name: string,
  { metadata, stamps }: { readonly metadata: BackupMetadata; readonly stamps: SourceStamps },
): Promise<void> {
  const { session, stores } = run;
  const now = await readMetadataIfThere(session, stores.from, name).catch((error: unknown) => {
    if (isKind(error, "corrupt")) return undefined;
    throw error;
  });
  // A server may have stored the last state of the contents after the metadata that call it complete.
  const files = (await listFiles(session, stores.from, name)).filter((file) => file !== metadataFile);
  const isSame = now?.bytes.equals(metadata.bytes) === true;
  if (isSame && isSameSource(stamps, await stampSource(run, name, files))) return;
  throw new PluginError(`backup ${name} was changed or deleted at the source while it was copied: copy it again`, {
    kind: "conflict",
  });
}

function finishedReport(name: string, objects: readonly CopiedObject[], target: TargetBackup): CopiedBackup {
  const isTouched = objects.some(({ result }) => result !== "present");
  const metadata = presentObject(metadataFile, target.metadataBytes, "read on both sides");
  const extras = target.extras.length === 0 ? "" : `left alone at the target: ${target.extras.join(", ")}`;
  return {
    name,
    result: isTouched ? "repaired" : "present",
    objects: sorted([...objects, metadata]),
    detail: extras,
    volumesLeftBehind: "",
  };
}

function sorted(objects: readonly CopiedObject[]): readonly CopiedObject[] {
  return objects.toSorted((a, b) => (a.file < b.file ? -1 : 1));
}
