import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { SnapshotDescription, VolumeInfo } from "@flotilla/sdk/plugin";

import type { Report } from "../context.ts";
import { formatFields } from "../output/table.ts";
import { formatBytes, formatTime } from "../output/units.ts";
import type { OpenedVolumes, Session } from "../session.ts";

/** Snapshots one volume by its id. */
export async function snapshotVolume(
  session: Session,
  { client }: OpenedVolumes,
  request: { readonly volumeId: string; readonly zone: string; readonly tags: Readonly<Record<string, string>> },
): Promise<Report> {
  const { volumeId, zone: volumeAz, tags } = request;
  const snapshotId = await client.createSnapshot({ volumeId, volumeAz, tags }, session.call);
  return { json: { volumeId, snapshotId }, text: `volume ${volumeId} snapshotted as ${snapshotId}\n` };
}

/** Makes a volume from a snapshot. */
export async function restoreVolume(
  session: Session,
  { client }: OpenedVolumes,
  request: { readonly snapshotId: string; readonly type: string; readonly zone: string; readonly iops?: bigint },
): Promise<Report> {
  const { snapshotId, type: volumeType, zone: volumeAz, iops } = request;
  const volumeId = await client.createVolumeFromSnapshot({ snapshotId, volumeType, volumeAz, iops }, session.call);
  return { json: { snapshotId, volumeId }, text: `volume ${volumeId} made from snapshot ${snapshotId}\n` };
}

/** Tells a volume's type and IOPS, or a snapshot's state: an id that is no volume is tried as a snapshot. */
export async function showVolume(
  session: Session,
  { client }: OpenedVolumes,
  request: { readonly id: string; readonly zone: string },
): Promise<Report> {
  const { id, zone: volumeAz } = request;
  try {
    return reportVolume(id, await client.getVolumeInfo({ volumeId: id, volumeAz }, session.call));
  } catch (error) {
    if (!isKind(error, "not-found") && !isKind(error, "invalid-argument")) throw error;
    return reportSnapshot(await describeSnapshot(session, client, id, PluginError.from(error)));
  }
}

/** Of an id that is no volume. Why the snapshot cannot be told is the answer, unless nobody knows it either. */
async function describeSnapshot(
  session: Session,
  client: OpenedVolumes["client"],
  id: string,
  asVolume: PluginError,
): Promise<SnapshotDescription> {
  try {
    return await client.describeSnapshot(id, session.call);
  } catch (error) {
    if (isKind(error, "unsupported")) throw asVolume;
    if (!isKind(error, "not-found")) throw error;
    throw new PluginError(
      `${id} is neither a volume nor a snapshot that this location knows: ${asVolume.message}; ${error.message}`,
      { kind: "not-found", cause: error },
    );
  }
}

/** Deletes a snapshot. */
export async function deleteSnapshot(session: Session, { client }: OpenedVolumes, snapshotId: string): Promise<Report> {
  await client.deleteSnapshot(snapshotId, session.call);
  return { json: { snapshotId }, text: `snapshot ${snapshotId} deleted\n` };
}

function reportVolume(volumeId: string, { volumeType, iops }: VolumeInfo): Report {
  return {
    json: { volumeId, volumeType, iops: iops === undefined ? null : Number(iops) },
    text: formatFields([
      ["Volume", volumeId],
      ["Type", volumeType],
      ["IOPS", iops === undefined ? "-" : String(iops)],
    ]),
  };
}

function reportSnapshot(snapshot: SnapshotDescription): Report {
  const startedAt = snapshot.startedAt === undefined ? "" : formatTime(snapshot.startedAt);
  return {
    json: { ...snapshot, volumeSizeBytes: Number(snapshot.volumeSizeBytes), startedAt },
    text: formatFields([
      ["Snapshot", snapshot.snapshotId],
      ["Of volume", snapshot.volumeId],
      ["State", `${snapshot.state} (${snapshot.progressPercent} %)`],
      ["Size", formatBytes(snapshot.volumeSizeBytes)],
      ["Encrypted", snapshot.encrypted ? "yes" : "no"],
      ["Started", startedAt],
      [
        "Tags",
        Object.entries(snapshot.tags)
          .map(([key, value]) => `${key}=${value}`)
          .join(", "),
      ],
    ]),
  };
}
