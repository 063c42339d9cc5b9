import { PluginError } from "@flotilla/sdk/plugin";

import type { PairRun } from "./paired-object.ts";
import { countMethods, readVolumeMethods } from "./volume-methods.ts";

/**
 * Which volumes of a backup are not in its copy, in words: `native snapshots: 3, file-system backups: 1`; empty where it has
 * none. Whoever takes the copy for all of it learns so at once rather than at the restore.
 */
export async function volumesLeftBehind(run: PairRun, backup: string, files: readonly string[]): Promise<string> {
  try {
    return countMethods(await readVolumeMethods(run.session, run.stores.from, backup, files));
  } catch (error) {
    run.session.context.signal.throwIfAborted();
    // It was copied as it is; what it says of volumes is a matter for verify.
    return `unknown, since its records cannot be read: ${PluginError.from(error).message}`;
  }
}
