import { randomBytes } from "node:crypto";
import { lstat } from "node:fs/promises";
import { basename, join } from "node:path";

import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, Clock, JsonObject } from "@flotilla/sdk/plugin";

import type { Repository } from "./repository.ts";
import type { ResticVersion } from "./restic-version.ts";
import { HeldFolder } from "./volume-folder.ts";
import { readStatus } from "./volume-messages.ts";
import type { ResticStatus } from "./volume-messages.ts";
import { NewFolder } from "./volume-new-folder.ts";
import { lostOwners, restoreRights } from "./volume-owners.ts";
import type { RestoreRights } from "./volume-owners.ts";
import { RestoreFaults } from "./volume-restore-faults.ts";
import { requireRoom } from "./volume-restore-room.ts";
import { ProgressWatch } from "./volume-progress.ts";
import type { VolumeSnapshot } from "./volume-snapshots.ts";

/** Where a volume is restored. */
export interface VolumeRestore {
  readonly root: string;
  /** The parent of the new folder, below the root. */
  readonly parent: string;
  readonly clock: Clock;
}

/** Restores a snapshot as a new folder and answers its name below the root. A failure leaves nothing. */
export async function restoreVolume(
  repository: Repository,
  snapshot: VolumeSnapshot,
  { root, parent, clock }: VolumeRestore,
  call: Call,
): Promise<string> {
  const action = `restore the snapshot ${snapshot.snapshotId}`;
  await using held = await HeldFolder.open({ root, folder: parent });
  const { isAmple } = await requireRoom(repository, snapshot, held, action, call);
  await using folder = await begin(action, held, call);
  const request = { action, snapshotId: snapshot.filesId, folder, clock, keepsHoles: !isAmple, onStatus: () => {} };
  const loss = await restoreInto(repository, request, call);
  // Data at risk: what ran as another user may not find its files readable.
  if (loss !== "") call.log.warn(`${action}: not everything is as it was`, { loss });
  const original = basename(snapshot.folder);
  const name = newName(original);
  await held.requireInPlace();
  await requireFolder(action, join(folder.path, original));
  await explained(action, folder.commit(name, original));
  return parent === "" ? name : `${parent}/${name}`;
}

/** A snapshot that somebody else made may hold anything under that name, a link out of the root among it. */
async function requireFolder(action: string, path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new PluginError(`${action}: it does not hold the folder that its tags name; use another snapshot`, {
    kind: "corrupt",
  });
}

/** One restic to restore with. */
export interface RestoreInto {
  readonly action: string;
  /** restic's own id. */
  readonly snapshotId: string;
  readonly folder: NewFolder;
  readonly clock: Clock;
  /** Whether ranges of zeros take no room, where restic can; otherwise they are written, as most programs expect. */
  readonly keepsHoles?: boolean;
  readonly onStatus: (status: ResticStatus) => void;
}

/** Restores all files of a restic snapshot into a folder, and answers what is not as it was. */
export async function restoreInto(
  repository: Repository,
  { action, snapshotId, folder, clock, keepsHoles = false, onStatus }: RestoreInto,
  call: Call,
): Promise<string> {
  const rights = await restoreRights();
  const isSilent = !repository.restic.version.tellsRestores;
  if (isSilent) call.log.info(`${action}: this restic does not tell how far it is; 0.16 and later do`);
  using watch = new ProgressWatch({ action, clock, isSilent }, call);
  const faults = new RestoreFaults();
  const onMessage = (message: JsonObject): void => {
    faults.hear(message);
    const status = readStatus(message);
    if (status === undefined) return;
    watch.hear(status);
    onStatus(status);
  };
  const flags = restoreFlags(repository.restic.version, rights, keepsHoles);
  const args = ["restore", snapshotId, "--json", ...flags, "--target", `./${folder.hidden}`];
  const place = { workingFolder: folder.parent, onMessage, isSilent } as const;
  // Its code for files that it went on past, whatever they lack.
  const request = { action, args, lock: "none", acceptedCodes: [1], ...place } as const;
  const { end } = await repository.run(request, watch.call);
  faults.requireFiles(end, () => repository.errorOf({ action }, end));
  const owners = await lostOwners(repository, snapshotId, rights, call);
  return [owners, faults.text({ withoutOwners: owners !== "" })].filter((text) => text !== "").join("; ");
}

/** Flags that this version has. */
function restoreFlags(version: ResticVersion, rights: RestoreRights, keepsHoles: boolean): readonly string[] {
  return [
    ...(keepsHoles && version.restoresHoles ? ["--sparse"] : []),
    // At the first attribute that it may not set, restic leaves all others of the file, ACLs among them.
    ...(!rights.canSetSystemAttributes && version.leavesOutAttributes ? ["--exclude-xattr", "trusted.*"] : []),
  ];
}

async function begin(action: string, held: HeldFolder, call: Call): Promise<NewFolder> {
  return await explained(`${action} below ${held.name}`, NewFolder.begin(held.path, call));
}

/** The answers of the file system as errors of the contract. */
export async function explained<T>(action: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof PluginError || !(error instanceof Error && "code" in error)) throw error;
    const code = String(error.code);
    const isDenied = code === "EACCES" || code === "EPERM" || code === "EROFS";
    const remedy = isDenied
      ? "mount it so that the server's user may write"
      : "look at the file system, then try again";
    throw new PluginError(`${action}: the file system answered ${code}; ${remedy}. Nothing was left behind`, {
      kind: isDenied ? "denied" : "unavailable",
      code,
      cause: error,
    });
  }
}

const restoredSuffix = /-restored-[0-9a-f]{8}$/;
// Bytes, well below what file systems allow for a name.
const longestName = 200;

/** Tells what it was, and never the same name twice. */
function newName(original: string): string {
  const start = Buffer.from(original.replace(restoredSuffix, "")).subarray(0, longestName).toString("utf8");
  // A letter that was cut in two.
  return `${start.replace(/\uFFFD$/, "")}-restored-${randomBytes(4).toString("hex")}`;
}
