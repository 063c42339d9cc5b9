import { statfs } from "node:fs/promises";

import { isJsonObject, parseJson, PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";

import type { Repository } from "./repository.ts";
import type { HeldFolder } from "./volume-folder.ts";
import type { VolumeSnapshot } from "./volume-snapshots.ts";

/** What a restore may rely on. */
export interface RestoreRoom {
  /** Whether all of it fits, whatever it is; otherwise its fitting takes that holes of files stay holes. */
  readonly isAmple: boolean;
}

/**
 * Refuses what is known to be too much before hours of restoring. The bytes of a snapshot count each name of a file with
 * several, and the holes of files; and what is stored may take less by compression. None takes less than restic does.
 */
export async function requireRoom(
  repository: Repository,
  snapshot: VolumeSnapshot,
  held: HeldFolder,
  action: string,
  call: Call,
): Promise<RestoreRoom> {
  const { bavail, bsize } = await statfs(held.path, { bigint: true });
  const free = bavail * bsize;
  if (snapshot.bytes <= free) return { isAmple: true };
  const least = await leastBytes(repository, snapshot.filesId, action, call);
  const told = `it holds ${snapshot.bytes} bytes, and ${free} are free there`;
  if (least > free)
    throw new PluginError(
      `${action} below ${held.name}: ${told}, fewer than the ${least} that they take compressed and each once; make room, or set restoreFolder to a larger file system`,
      { kind: "unavailable" },
    );
  call.log.info(`${action} below ${held.name}: ${told}; it is tried, since they may take less`, {
    leastBytes: least,
    keepsHoles: repository.restic.version.restoresHoles,
  });
  return { isAmple: false };
}

/** Of all that the snapshot refers to, each part counted once, as restic stores it. */
async function leastBytes(repository: Repository, filesId: string, action: string, call: Call): Promise<bigint> {
  const args = ["stats", "--mode", "raw-data", "--json", filesId];
  const request = { action: `${action}: count what it holds`, args, lock: "none", isSilent: true } as const;
  const { output } = await repository.run(request, call);
  const stats = parseJson(output);
  const size = isJsonObject(stats) ? stats["total_size"] : undefined;
  // What cannot be counted is no reason to refuse.
  return typeof size === "number" && Number.isSafeInteger(size) ? BigInt(size) : 0n;
}
