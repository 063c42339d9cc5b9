import { isJsonObject, parseJson, PluginError } from "@flotilla/sdk/plugin";
import type { JsonObject, JsonValue } from "@flotilla/sdk/plugin";

import { collectBody } from "../backup-layout/collect-body.ts";
import { gunzipText } from "../backup-layout/gzip.ts";
import { sideOf } from "./paired-object.ts";
import type { PairRun } from "./paired-object.ts";

/**
 * Which volumes of a backup are not in its copy, in words: `native snapshots: 3, file-system backups: 1`; empty where it has
 * none. Whoever takes the copy for all of it learns so at once rather than at the restore.
 */
export async function volumesLeftBehind(run: PairRun, backup: string, files: readonly string[]): Promise<string> {
  try {
    const methods = await readMethods(run, backup, files);
    const counts = [...Map.groupBy(methods, (method) => method)].map(([method, all]) => `${method}: ${all.length}`);
    return counts.toSorted((a, b) => (a < b ? -1 : 1)).join(", ");
  } catch (error) {
    run.session.context.signal.throwIfAborted();
    // It was copied as it is; what it says of volumes is a matter for verify.
    return `unknown, since its records cannot be read: ${PluginError.from(error).message}`;
  }
}

async function readMethods(run: PairRun, backup: string, files: readonly string[]): Promise<readonly string[]> {
  const info = `${backup}-volumeinfo.json.gz`;
  if (files.includes(info)) return (await readArray(run, backup, info)).flatMap(methodOf);
  // As servers before 1.13 wrote it.
  const older: readonly (readonly [file: string, method: string])[] = [
    [`${backup}-volumesnapshots.json.gz`, "native snapshots"],
    [`${backup}-csi-volumesnapshots.json.gz`, "CSI snapshots"],
    [`${backup}-podvolumebackups.json.gz`, "file-system backups"],
  ];
  const found: string[] = [];
  for (const [file, method] of older) {
    if (files.includes(file)) found.push(...(await readArray(run, backup, file)).map(() => method));
  }
  return found;
}

function methodOf(volume: JsonObject): readonly string[] {
  if (volume["skipped"] === true) return [];
  if (volume["snapshotDataMoved"] === true) return ["volumes in the data mover's repository"];
  if (volume["backupMethod"] === "NativeSnapshot") return ["native snapshots"];
  if (volume["backupMethod"] === "CSISnapshot") return ["CSI snapshots"];
  return volume["backupMethod"] === "PodVolumeBackup" ? ["file-system backups"] : [];
}

async function readArray({ session, stores }: PairRun, backup: string, file: string): Promise<readonly JsonObject[]> {
  const { store, object } = sideOf(stores.from, backup, file);
  const bytes = await collectBody(store.client.getObject(object, session.call), object.key);
  const value: JsonValue = parseJson(await gunzipText(bytes, object.key));
  // A server without volumes writes `null`.
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
