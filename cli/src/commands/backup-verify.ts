import { PluginError } from "@flotilla/sdk/plugin";

import type { SnapshotRecord } from "../backup-layout/snapshot-record.ts";
import { formatTable } from "../output/table.ts";
import { formatBytes } from "../output/units.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";
import { findBackup, readSnapshots } from "./stored-backup.ts";
import type { ExtensibleReport } from "./verify-data.ts";
import { verifyObjects } from "./verify-objects.ts";
import type { ObjectVerdict } from "./verify-objects.ts";
import { verifySnapshots } from "./verify-snapshots.ts";
import type { SnapshotVerdict } from "./verify-snapshots.ts";

/** What verifying a backup showed. */
export interface VerifiedBackup {
  readonly name: string;
  readonly bucket: string;
  readonly isSound: boolean;
  readonly objects: readonly ObjectVerdict[];
  readonly snapshots: readonly SnapshotVerdict[];
}

const harmless: ReadonlySet<string> = new Set(["ok", "unverified"]);

/** Reads everything of a backup back and asks the cloud for its snapshots. */
export async function verifyBackup(
  session: Session,
  store: OpenedStore,
  volumes: OpenedVolumes | undefined,
  request: { readonly name: string; readonly waitMs?: number },
): Promise<VerifiedBackup> {
  const backup = await findBackup(session, store, request.name);
  const objects = await verifyObjects(session, store, backup);
  const records = await recordsUnlessBroken(objects, backup.keys.volumeSnapshots, () =>
    readSnapshots(session, store, backup),
  );
  const snapshots = await verifySnapshots(session, volumes, records, request);
  const isSound = [...objects, ...snapshots].every(({ status }) => harmless.has(status));
  return { name: request.name, bucket: store.location.bucket, isSound, objects, snapshots };
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

function conclusion({ name, isSound, objects, snapshots }: VerifiedBackup): string {
  const all = [...objects, ...snapshots];
  const faults = all.filter(({ status }) => !harmless.has(status)).length;
  const [bare, unseen] = [objects, snapshots].map((each) => countUnverified(each));
  // What nobody looked at must not pass for sound with the rest.
  const exception =
    unseen === 0 ? "" : `, but for ${unseen} snapshot${unseen === 1 ? " that was" : "s that were"} not looked at`;
  const verdict = isSound
    ? `is sound${exception}`
    : `HAS FAULTS: ${faults} of ${all.length} are not as they were written${exception}`;
  return `backup ${name} ${verdict}${bare === 0 ? "" : `; ${bare} could not be compared with anything`}`;
}

function countUnverified(verdicts: readonly { readonly status: string }[]): number {
  return verdicts.filter(({ status }) => status === "unverified").length;
}

/** The snapshot records; none where their object is broken, which was reported with the objects. */
async function recordsUnlessBroken(
  objects: readonly ObjectVerdict[],
  key: string,
  read: () => Promise<readonly SnapshotRecord[]>,
): Promise<readonly SnapshotRecord[]> {
  const isBroken = objects.some((object) => object.key === key && !harmless.has(object.status));
  if (isBroken) return [];
  try {
    return await read();
  } catch (error) {
    throw new PluginError(`read the snapshots of the backup: ${PluginError.from(error).message}`, {
      kind: PluginError.from(error).kind,
      cause: error,
    });
  }
}
