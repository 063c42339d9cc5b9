import type { PersistentVolume } from "@flotilla/sdk/plugin";
import { isJsonObject, parseJson, PluginError, printJson } from "@flotilla/sdk/plugin";

import { AtomicFolder } from "../atomic-folder.ts";
import { collectBody } from "../backup-layout/collect-body.ts";
import { withSortedKeys } from "../backup-layout/resource.ts";
import type { SnapshotRecord } from "../backup-layout/snapshot-record.ts";
import { readTarball } from "../backup-layout/tarball-reader.ts";
import type { TarFile } from "../backup-layout/tarball-reader.ts";
import type { Report } from "../context.ts";
import { formatTable } from "../output/table.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";
import { findBackupToRead, readSnapshots } from "./stored-backup.ts";

/** A volume that was made from a snapshot. */
interface RestoredVolume {
  readonly persistentVolume: string;
  readonly snapshotId: string;
  readonly volumeId: string;
}

/** A restored backup. */
export interface RestoredBackup {
  readonly name: string;
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  readonly volumes: readonly RestoredVolume[];
}

// Both places of a PersistentVolume in the tarball: the plain one and the one of its API version.
const persistentVolumePath = /^resources\/persistentvolumes\/(?:[^/]+\/)?cluster\/([^/]+)\.json$/;

/**
 * Extracts a backup's contents into a new folder, which appears only when all of it has arrived whole. With volumes, each
 * snapshot becomes a volume and the PersistentVolumes in the folder point at them, as the server would create them.
 */
export async function restoreBackup(
  session: Session,
  store: OpenedStore,
  volumes: OpenedVolumes | undefined,
  request: { readonly name: string; readonly to: string },
): Promise<RestoredBackup> {
  const backup = await findBackupToRead(session, store, request.name);
  await using folder = await AtomicFolder.begin(request.to);
  const records = volumes === undefined ? [] : await readSnapshots(session, store, backup);
  const restored = new Map<string, RestoredVolume>();
  try {
    if (volumes !== undefined) await restoreVolumes(session, volumes, records, restored);
    const key = backup.keys.contents;
    const body = store.client.getObject({ bucket: store.location.bucket, key }, session.call);
    const totals = { files: 0, bytes: 0 };
    const transfer = session.progress.begin(`restoring ${key}`);
    await readTarball(transfer.pass(body), async (file) => {
      totals.files += 1;
      totals.bytes += file.sizeBytes;
      await folder.write(file.path, await rewritten(session, volumes, restored, file));
    });
    await folder.commit();
    transfer.done(`restored ${key}`);
    return { name: request.name, folder: request.to, ...totals, volumes: [...restored.values()] };
  } catch (error) {
    throw withLeftVolumes(error, [...restored.values()]);
  }
}

/** What was restored, for people and for JSON. */
export function reportRestored(restored: RestoredBackup): Report {
  const rows = restored.volumes.map(({ persistentVolume, snapshotId, volumeId }) => [
    persistentVolume,
    snapshotId,
    volumeId,
  ]);
  const table = rows.length === 0 ? "" : `${formatTable(["persistent volume", "from snapshot", "new volume"], rows)}\n`;
  return {
    json: restored,
    text: `${table}backup ${restored.name} restored to ${restored.folder}: ${restored.files} files, ${restored.bytes} bytes\n`,
  };
}

async function restoreVolumes(
  session: Session,
  { client }: OpenedVolumes,
  records: readonly SnapshotRecord[],
  restored: Map<string, RestoredVolume>,
): Promise<void> {
  for (const { persistentVolumeName: persistentVolume, snapshotId, volumeType, volumeAz, iops } of records) {
    const request = { snapshotId, volumeType, volumeAz, iops };
    const volumeId = await client.createVolumeFromSnapshot(request, session.call);
    session.progress.note(`restored ${persistentVolume} from ${snapshotId} as ${volumeId}`);
    restored.set(persistentVolume, { persistentVolume, snapshotId, volumeId });
  }
}

async function rewritten(
  session: Session,
  volumes: OpenedVolumes | undefined,
  restored: ReadonlyMap<string, RestoredVolume>,
  { path, content }: TarFile,
): Promise<AsyncIterable<Uint8Array>> {
  const volume = restored.get(persistentVolumePath.exec(path)?.[1] ?? "");
  if (volume === undefined || volumes === undefined) return content;
  const original = parsePersistentVolume(await collectBody(content, path), path);
  const changed = await volumes.client.setVolumeId(original, volume.volumeId, session.call);
  return single(Buffer.from(printJson(withSortedKeys(changed))));
}

function parsePersistentVolume(bytes: Buffer, path: string): PersistentVolume {
  try {
    const volume = parseJson(bytes.toString("utf8"));
    if (isJsonObject(volume)) return volume;
  } catch (error) {
    throw new PluginError(`${path} is not JSON: ${String(error)}`, { kind: "corrupt", cause: error });
  }
  throw new PluginError(`${path} is not a PersistentVolume`, { kind: "corrupt" });
}

/** A plugin cannot delete volumes, so those of a failed restore are named. */
function withLeftVolumes(error: unknown, volumes: readonly RestoredVolume[]): unknown {
  if (volumes.length === 0) return error;
  const { kind, message } = PluginError.from(error);
  const ids = volumes.map(({ volumeId }) => volumeId).join(", ");
  return new PluginError(`${message}; the volumes ${ids} were made already: delete them in the cloud`, {
    kind,
    cause: error,
  });
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
