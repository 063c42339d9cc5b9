import type { JsonObject } from "@flotilla/sdk/plugin";

import type { Report } from "../context.ts";
import { formatFields, formatTable } from "../output/table.ts";
import { formatBytes, formatTime } from "../output/units.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";
import { listBackups } from "./backup-list.ts";
import type { ListedBackup } from "./backup-list.ts";
import { describeIfPossible, findBackup, printChecksum, readBackupObject, readSnapshots } from "./stored-backup.ts";
import { verifySnapshots } from "./verify-snapshots.ts";
import type { SnapshotVerdict } from "./verify-snapshots.ts";

/** A backup as the store and the cloud describe it; nothing of its contents is read. */
export interface DescribedBackup {
  readonly summary: ListedBackup;
  readonly bucket: string;
  readonly objects: readonly DescribedObject[];
  readonly snapshots: readonly SnapshotVerdict[];
  readonly backup: JsonObject;
}

/** An object as the store describes it; undefined size where the plugin cannot describe objects. */
interface DescribedObject {
  readonly key: string;
  readonly bytes: number | undefined;
  readonly checksum: string;
  readonly modifiedAt: string;
  readonly hold: string;
}

/** Describes a backup's objects and snapshots. */
export async function describeBackup(
  session: Session,
  store: OpenedStore,
  volumes: OpenedVolumes | undefined,
  name: string,
): Promise<DescribedBackup> {
  const stored = await findBackup(session, store, name);
  const backup = await readBackupObject(session, store, stored.keys.metadata);
  const [summary] = await listBackups(session, store, [name]);
  const objects: DescribedObject[] = [];
  for (const key of stored.objectKeys) objects.push(await describeObject(session, store, key));
  const snapshots = await verifySnapshots(session, volumes, await readSnapshots(session, store, stored));
  const unknown = { name, phase: "", startedAt: "", expiresAt: "", items: 0, fault: "" };
  return { summary: summary ?? unknown, bucket: store.location.bucket, objects, snapshots, backup };
}

/** The description for people and for JSON. */
export function reportDescribed(described: DescribedBackup): Report {
  const { summary, bucket, objects, snapshots } = described;
  const fields = formatFields([
    ["Name", summary.name],
    ["Bucket", bucket],
    ["Phase", summary.phase],
    ["Started", summary.startedAt],
    ["Expires", summary.expiresAt],
    ["Items", String(summary.items)],
  ]);
  const objectRows = objects.map(({ key, bytes, checksum, modifiedAt, hold }) => [
    key,
    bytes === undefined ? "-" : formatBytes(bytes),
    checksum,
    modifiedAt,
    hold,
  ]);
  const snapshotRows = snapshots.map(({ snapshotId, persistentVolume, status, state, detail }) => [
    snapshotId,
    persistentVolume,
    state === "" ? status : state,
    detail,
  ]);
  const snapshotTable =
    snapshotRows.length === 0
      ? ""
      : `\n${formatTable(["snapshot", "persistent volume", "state", "detail"], snapshotRows)}`;
  return {
    json: described,
    text: `${fields}\n${formatTable(["object", "size", "checksum", "modified", "hold"], objectRows)}${snapshotTable}`,
  };
}

async function describeObject(session: Session, store: OpenedStore, key: string): Promise<DescribedObject> {
  const description = await describeIfPossible(session, store, key);
  return {
    key,
    bytes: description === undefined ? undefined : Number(description.sizeBytes),
    checksum: printChecksum(description),
    modifiedAt: description?.lastModified === undefined ? "" : formatTime(description.lastModified),
    hold: description?.hold ?? "",
  };
}
