import { readFile } from "node:fs/promises";

import { isJsonObject } from "@flotilla/sdk/plugin";
import type { Call, JsonObject } from "@flotilla/sdk/plugin";

import type { Repository } from "./repository.ts";

/** What the process may set on files that it restores. */
export interface RestoreRights {
  readonly userId: number;
  readonly groupId: number;
  /** Otherwise every file belongs to the process's own user, which restic does not report. */
  readonly canSetOwners: boolean;
  /** Extended attributes of the namespaces security and trusted; otherwise restic leaves them out in silence. */
  readonly canSetSystemAttributes: boolean;
}

const capabilities = { chown: 0n, sysAdmin: 21n } as const;
const shownOwners = 5;

/** Finds out what this process may set. */
export async function restoreRights(): Promise<RestoreRights> {
  const [userId, groupId] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  // Not Linux: a superuser may do all.
  if (mask === undefined) {
    return { userId, groupId, canSetOwners: userId === 0, canSetSystemAttributes: userId === 0 };
  }
  const effective = BigInt(`0x${mask}`);
  const has = (bit: bigint): boolean => ((effective >> bit) & 1n) === 1n;
  return {
    userId,
    groupId,
    canSetOwners: has(capabilities.chown),
    canSetSystemAttributes: has(capabilities.sysAdmin),
  };
}

/**
 * Whose files of a snapshot would not keep their owner, in words; empty where all do. restic passes over that in silence
 * unless it runs as the superuser.
 */
export async function lostOwners(
  repository: Repository,
  filesId: string,
  rights: RestoreRights,
  call: Call,
): Promise<string> {
  if (rights.canSetOwners) return "";
  const own = `${rights.userId}:${rights.groupId}`;
  const counts = new Map<string, number>();
  const count = (message: JsonObject): void => {
    const owner = ownerOf(message);
    if (owner !== undefined && owner !== own) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  };
  const args = ["ls", "--json", filesId];
  await repository.run({ action: "read the owners of the files", args, lock: "none", onMessage: count }, call);
  if (counts.size === 0) return "";
  const shown = [...counts].slice(0, shownOwners).map(([owner, files]) => `${files} of ${owner}`);
  const more = counts.size > shown.length ? " and others" : "";
  return `owners: files ${shown.join(", ")}${more} belong to ${own} now, because the plugin runs without CAP_CHOWN`;
}

function ownerOf(message: JsonObject): string | undefined {
  const { struct_type: type, message_type: newType, uid, gid } = message;
  if (!isJsonObject(message) || (type ?? newType) !== "node") return undefined;
  return typeof uid === "number" && typeof gid === "number" ? `${uid}:${gid}` : undefined;
}
