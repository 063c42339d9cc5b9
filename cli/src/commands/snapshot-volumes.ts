import type { PersistentVolume } from "@flotilla/sdk/plugin";

import { zoneOf } from "../backup-layout/persistent-volume-fields.ts";
import type { Resource } from "../backup-layout/resource.ts";
import type { TakenSnapshot } from "../backup-layout/side-objects.ts";
import type { OpenedVolumes, Session } from "../session.ts";

/** The volumes of a backup: snapshotted, and passed over because the plugin does not know them. */
export interface SnapshottedVolumes {
  readonly taken: readonly TakenSnapshot[];
  readonly passedOver: readonly string[];
}

/** Snapshots each PersistentVolume, in the server's steps. When one fails, the others' snapshots are deleted again. */
export async function snapshotVolumes(
  session: Session,
  volumes: OpenedVolumes,
  backup: { readonly name: string; readonly uid: string; readonly resources: readonly Resource[] },
): Promise<SnapshottedVolumes> {
  const taken: TakenSnapshot[] = [];
  const passedOver: string[] = [];
  try {
    for (const { kind, name, object } of backup.resources) {
      if (kind !== "PersistentVolume") continue;
      const snapshot = await snapshotVolume(session, volumes, { ...backup, persistentVolumeName: name, object });
      if (snapshot === undefined) passedOver.push(name);
      else taken.push(snapshot);
    }
  } catch (error) {
    await deleteTaken(session, volumes, taken);
    throw error;
  }
  return { taken, passedOver };
}

/** Deletes snapshots that no stored backup will name. What cannot be deleted is told, with its id. */
export async function deleteTaken(
  session: Session,
  volumes: OpenedVolumes | undefined,
  taken: readonly TakenSnapshot[],
): Promise<void> {
  for (const { record } of taken) {
    try {
      // Not the user's signal: after an interruption is exactly when there is something to clean up.
      await volumes?.client.deleteSnapshot(record.snapshotId);
      session.progress.note(`deleted snapshot ${record.snapshotId} again`);
    } catch (error) {
      session.progress.note(`snapshot ${record.snapshotId} is left behind, delete it: ${String(error)}`);
    }
  }
}

async function snapshotVolume(
  session: Session,
  { client, location }: OpenedVolumes,
  backup: {
    readonly name: string;
    readonly uid: string;
    readonly persistentVolumeName: string;
    readonly object: PersistentVolume;
  },
): Promise<TakenSnapshot | undefined> {
  const { name, uid, persistentVolumeName, object } = backup;
  const volumeId = await client.getVolumeId(object, session.call);
  if (volumeId === "") return undefined;
  const volumeAz = zoneOf(object);
  const { volumeType, iops } = await client.getVolumeInfo({ volumeId, volumeAz }, session.call);
  const tags = { "velero.io/backup": name, "velero.io/pv": persistentVolumeName };
  const snapshotId = await client.createSnapshot({ volumeId, volumeAz, tags }, session.call);
  session.progress.note(`snapshotted ${persistentVolumeName} (${volumeId}) as ${snapshotId}`);
  return {
    record: {
      backupName: name,
      backupUid: uid,
      location: location.name,
      persistentVolumeName,
      volumeId,
      volumeType,
      volumeAz,
      iops,
      snapshotId,
    },
    persistentVolume: object,
  };
}
