import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";
import type { JsonObject, JsonValue } from "@flotilla/sdk/plugin";

import { collectBody } from "../backup-layout/collect-body.ts";
import { gunzipText } from "../backup-layout/gzip.ts";
import type { OpenedStore, Session } from "../session.ts";
import { sideOf } from "./paired-object.ts";

/** By which a plugin of a VolumeSnapshotLocation keeps a volume. */
export const nativeSnapshots = "native snapshots";

/** Where the data of each volume of a backup are, in words, as far as its records tell. */
export async function readVolumeMethods(
  session: Session,
  store: OpenedStore,
  backup: string,
  files: readonly string[],
): Promise<readonly string[]> {
  const read = async (file: string): Promise<readonly JsonObject[]> => {
    const { object } = sideOf(store, backup, file);
    const bytes = await collectBody(store.client.getObject(object, session.call), object.key);
    const value: JsonValue = parseJson(await gunzipText(bytes, object.key));
    // A server without volumes writes `null`.
    return Array.isArray(value) ? value.filter(isJsonObject) : [];
  };
  const info = `${backup}-volumeinfo.json.gz`;
  if (files.includes(info)) return (await read(info)).flatMap(methodOf);
  // As servers before 1.13 wrote it.
  const older: readonly (readonly [file: string, method: string])[] = [
    [`${backup}-volumesnapshots.json.gz`, nativeSnapshots],
    [`${backup}-csi-volumesnapshots.json.gz`, "CSI snapshots"],
    [`${backup}-podvolumebackups.json.gz`, "file-system backups"],
  ];
  const found: (readonly string[])[] = [];
  for (const [file, method] of older) {
    if (files.includes(file)) found.push((await read(file)).map(() => method));
  }
  return found.flat();
}

/** How often each is there: `file-system backups: 1, native snapshots: 3`; empty for none. */
export function countMethods(methods: readonly string[]): string {
  const counts = [...Map.groupBy(methods, (method) => method)].map(([method, all]) => `${method}: ${all.length}`);
  return counts.toSorted((a, b) => (a < b ? -1 : 1)).join(", ");
}

function methodOf(volume: JsonObject): readonly string[] {
  if (volume["skipped"] === true) return [];
  if (volume["snapshotDataMoved"] === true) return ["volumes in the data mover's repository"];
  if (volume["backupMethod"] === "NativeSnapshot") return [nativeSnapshots];
  if (volume["backupMethod"] === "CSISnapshot") return ["CSI snapshots"];
  return volume["backupMethod"] === "PodVolumeBackup" ? ["file-system backups"] : [];
}
