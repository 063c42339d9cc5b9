import { isJsonObject, parseJson, PluginError } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";

/** Reads a stored `velero-backup.json`; `corrupt` where it holds no Backup. */
export function parseBackupObject(bytes: Buffer, key: string): JsonObject {
  try {
    const object = parseJson(bytes.toString("utf8"));
    if (isJsonObject(object) && object["kind"] === "Backup") return object;
  } catch (error) {
    throw new PluginError(`${key} is not JSON: ${String(error)}`, { kind: "corrupt", cause: error });
  }
  throw new PluginError(`${key} is not a Velero Backup object`, { kind: "corrupt" });
}
