import { isJsonObject, parseJson, PluginError } from "@flotilla/sdk/plugin";
import type { JsonObject, JsonValue } from "@flotilla/sdk/plugin";

import { gunzipText } from "./gzip.ts";

/** One snapshot of a backup, as the server records it for restore and deletion. */
export interface SnapshotRecord {
  readonly backupName: string;
  readonly backupUid: string;
  /** Of the VolumeSnapshotLocation. */
  readonly location: string;
  readonly persistentVolumeName: string;
  readonly volumeId: string;
  readonly volumeType: string;
  readonly volumeAz: string;
  readonly iops: bigint | undefined;
  readonly snapshotId: string;
}

/** A record in the server's own form. */
export function printSnapshotRecord(record: SnapshotRecord): JsonObject {
  return {
    spec: {
      backupName: record.backupName,
      backupUID: record.backupUid,
      location: record.location,
      persistentVolumeName: record.persistentVolumeName,
      providerVolumeID: record.volumeId,
      volumeType: record.volumeType,
      ...(record.volumeAz === "" ? {} : { volumeAZ: record.volumeAz }),
      ...(record.iops === undefined ? {} : { volumeIOPS: Number(record.iops) }),
    },
    status: { providerSnapshotID: record.snapshotId, phase: "Completed" },
  };
}

/** Reads `<name>-volumesnapshots.json.gz`. Records of snapshots that were never completed hold no id and are left out. */
export async function readSnapshotRecords(bytes: Uint8Array, what: string): Promise<readonly SnapshotRecord[]> {
  const parsed = parseList(await gunzipText(bytes, what), what);
  return parsed.flatMap((value) => {
    const spec = field(value, "spec");
    const snapshotId = text(field(value, "status"), "providerSnapshotID");
    if (snapshotId === "") return [];
    const iops = isJsonObject(spec) ? spec["volumeIOPS"] : undefined;
    return {
      backupName: text(spec, "backupName"),
      backupUid: text(spec, "backupUID"),
      location: text(spec, "location"),
      persistentVolumeName: text(spec, "persistentVolumeName"),
      volumeId: text(spec, "providerVolumeID"),
      volumeType: text(spec, "volumeType"),
      volumeAz: text(spec, "volumeAZ"),
      iops: typeof iops === "number" ? BigInt(iops) : undefined,
      snapshotId,
    };
  });
}

function parseList(json: string, what: string): readonly JsonValue[] {
  try {
    // The server writes null for an empty list.
    const value = parseJson(json) ?? [];
    if (Array.isArray(value)) return value;
  } catch (error) {
    throw new PluginError(`${what} is not JSON: ${String(error)}`, { kind: "corrupt", cause: error });
  }
  throw new PluginError(`${what} is not a list of snapshots`, { kind: "corrupt" });
}

function field(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

function text(value: JsonValue | undefined, name: string): string {
  const found = field(value, name);
  return typeof found === "string" ? found : "";
}
