import { PluginError } from "@flotilla/sdk/plugin";

import { isFinished } from "../backup-layout/backup-facts.ts";
import { countMethods, nativeSnapshots, readVolumeMethods } from "../copy/volume-methods.ts";
import { formatTable } from "../output/table.ts";
import { formatBytes } from "../output/units.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";
import { findBackup } from "./stored-backup.ts";
import type { StoredBackup } from "./stored-backup.ts";
import type { ExtensibleReport } from "./verify-data.ts";
import { isHarmless, verifyObjects } from "./verify-objects.ts";
import type { ObjectVerdict } from "./verify-objects.ts";
import { verifyRecords } from "./verify-records.ts";
import { verifySnapshots } from "./verify-snapshots.ts";
import type { SnapshotVerdict } from "./verify-snapshots.ts";

/** What verifying a backup showed. */
export interface VerifiedBackup {
  readonly name: string;
  readonly bucket: string;
  /** Whether all of it is there as it was written, and the server is done with it. */
  readonly isSound: boolean;
  /** As the Backup object says; empty where that cannot be read. */
  readonly phase: string;
  readonly objects: readonly ObjectVerdict[];
  readonly snapshots: readonly SnapshotVerdict[];
  /** Volumes whose data the server keeps where no plugin sees them, in words; empty where there are none. */
  readonly volumesNotRead: string;
}

/** Reads everything of a backup back and asks the cloud for its snapshots. */
export async function verifyBackup(
  session: Session,
  store: OpenedStore,
  volumes: OpenedVolumes | undefined,
  request: { readonly name: string; readonly waitMs?: number },
): Promise<VerifiedBackup> {
  const backup = await findBackup(session, store, request.name);
  const read = await verifyObjects(session, store, backup);
  const { objects, snapshots: records, facts } = await verifyRecords(session, store, backup, read);
  const snapshots = await verifySnapshots(session, volumes, records, request);
  const phase = facts?.phase ?? "";
  const isWhole = [...objects, ...snapshots].every(isHarmless);
  const isSound = isWhole && isFinished({ phase });
  const volumesNotRead = await otherVolumes(session, store, backup, objects);
  return { name: request.name, bucket: store.location.bucket, isSound, phase, objects, snapshots, volumesNotRead };
}

/** A volume that was not looked at must not be taken for one that is sound. */
async function otherVolumes(
  session: Session,
  store: OpenedStore,
  { name, keys, objectKeys }: StoredBackup,
  objects: readonly ObjectVerdict[],
): Promise<string> {
  const broken = new Set(objects.flatMap((object) => (isHarmless(object) ? [] : [object.key])));
  const readable = objectKeys.filter((key) => !broken.has(key)).map((key) => key.slice(keys.folder.length));
  try {
    const methods = await readVolumeMethods(session, store, name, readable);
    return countMethods(methods.filter((method) => method !== nativeSnapshots));
  } catch (error) {
    session.context.signal.throwIfAborted();
    return `unknown: ${PluginError.from(error).message}`;
  }
}

/** The verdicts for people and for JSON. */
export function reportVerified(verified: VerifiedBackup): ExtensibleReport {
  const objects = verified.objects.map(({ key, status, bytes, checksum, detail }) => [
    key,
    status,
    formatBytes(bytes),
    checksum,
    detail,
  ]);
  const snapshots = verified.snapshots.map(({ snapshotId, status, persistentVolume, state, detail }) => [
    snapshotId,
    status,
    persistentVolume,
    state,
    detail,
  ]);
  const snapshotTable =
    snapshots.length === 0
      ? ""
      : `\n${formatTable(["snapshot", "status", "persistent volume", "state", "detail"], snapshots)}`;
  return {
    json: verified,
    text: `${formatTable(["object", "status", "size", "checksum", "detail"], objects)}${snapshotTable}\n${conclusion(verified)}\n`,
    isFailure: !verified.isSound,
  };
}

function conclusion(verified: VerifiedBackup): string {
  const { name, objects, snapshots, volumesNotRead } = verified;
  const count = (all: readonly { readonly status: string }[]): number =>
    all.filter(({ status }) => status === "unverified").length;
  const remarks = [
    verdictOf(verified),
    ...(count(objects) === 0 ? [] : [`${count(objects)} could not be compared with anything`]),
    ...(count(snapshots) === 0 ? [] : [`${count(snapshots)} of its snapshots were NOT ASKED FOR`]),
    ...(volumesNotRead === "" ? [] : [`volumes that no plugin sees were NOT READ (${volumesNotRead})`]),
    ...phaseRemarks(verified),
  ];
  return `backup ${name} ${remarks.join("; ")}`;
}

function verdictOf({ isSound, phase, objects, snapshots }: VerifiedBackup): string {
  if (isSound) return "is sound";
  const all = [...objects, ...snapshots];
  const faults = all.filter((verdict) => !isHarmless(verdict)).length;
  if (faults > 0) return `HAS FAULTS: ${faults} of ${all.length} are not as they were written`;
  return `is NOT FINISHED (its phase is ${phase || "not set"}): the server is not done with it, and other clusters do not see it`;
}

/** What was not backed up in the first place is no fault of the store's, and is missing all the same. */
function phaseRemarks({ phase }: VerifiedBackup): readonly string[] {
  if (phase !== "PartiallyFailed" && phase !== "Failed") return [];
  return [`its phase is ${phase}: the server did not back up everything`];
}
