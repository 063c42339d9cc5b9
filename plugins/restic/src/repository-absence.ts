import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PluginError, systemClock } from "@flotilla/sdk/plugin";
import { backupsOfCluster } from "./cluster-backups.ts";
import type { ClusterContext } from "./cluster-backups.ts";
import type { RepositoryLocation } from "./repository-location.ts";
import type { RepositoryMemory } from "./repository-memory.ts";

/** Codes of errors that say that no repository was made yet: as far as is known, and for sure. */
const notMadeYetCode = "no repository yet";
const neverMadeCode = "never a repository";

/** What is looked at where a location's repository is not there. */
export interface Absence {
  readonly location: RepositoryLocation;
  readonly memory: RepositoryMemory;
  /** Whether the cluster's backups speak of it: not of a second repository, which an old location may get any day. */
  readonly isOwn: boolean;
  readonly context: ClusterContext;
}

/**
 * Throws where something says that there was a repository: it is out of sight then, and to make another one in its place,
 * or to call it empty, would have the server delete the Backup objects of all that is in it. Answers whether it is known
 * that there never was one; otherwise nothing says that there was.
 */
export async function requireNeverMade(absence: Absence): Promise<boolean> {
  const { location, memory, isOwn, context } = absence;
  const id = await memory.known();
  if (id !== undefined)
    throw lost(
      location,
      `there is no repository any more: this pod knew one there (${id.slice(0, 8)})`,
      `if it was removed on purpose, remove ${memory.file} too (a new pod has none, unless its cache is on a volume)`,
    );
  if (location.folder !== undefined) await requireFolder(location, location.folder, context.env);
  const backups = isOwn ? await backupsOfCluster(location, context) : undefined;
  if (backups === undefined || backups.names.length === 0) return backups !== undefined;
  throw lost(
    location,
    `there is no repository, and the cluster holds backups that are in it (${backups.names.join(", ")}, in the location ${backups.locations.join(", ")})`,
    "if a new one is meant, make it by restic init",
  );
}

async function requireFolder(location: RepositoryLocation, folder: string, env: ClusterContext["env"]): Promise<void> {
  const remains = await remainsIn(folder);
  if (remains.length > 0)
    throw lost(
      location,
      `there is no repository, or one without its config: what is in the folder ${folder} (${remains.slice(0, 3).join(", ")}) is not touched`,
      "restore its file config, or name an empty folder",
    );
  // A pod's own file system is lost with the pod.
  if (!env["KUBERNETES_SERVICE_HOST"] || (await deviceOf("/")) !== (await nearestDevice(folder))) return;
  throw lost(location, `there is no repository, and nothing is mounted there in this pod`, "mount a volume there");
}

/** Another process may be about to put the last file in its place. */
const finishingMs = 500;
const betweenLooksMs = 100;

/** What is in a folder that holds no config, but for what file systems keep in theirs. */
async function remainsIn(folder: string): Promise<readonly string[]> {
  const deadline = systemClock.now() + finishingMs;
  for (;;) {
    const names = await readdir(folder).catch(() => []);
    const remains = names.filter((name) => !name.startsWith(".") && name !== "lost+found");
    if (remains.length === 0 || remains.includes("config")) return [];
    if (systemClock.now() > deadline) return remains;
    await systemClock.sleep(betweenLooksMs, AbortSignal.timeout(2 * finishingMs));
  }
}

async function nearestDevice(folder: string): Promise<number | undefined> {
  const device = await deviceOf(folder);
  return device === undefined && folder !== "/" ? await nearestDevice(dirname(folder)) : device;
}

async function deviceOf(path: string): Promise<number | undefined> {
  return await stat(join(path, ".")).then(
    ({ dev }) => dev,
    () => undefined,
  );
}

function lost({ shown }: RepositoryLocation, fault: string, otherwise: string): PluginError {
  const text = `open the repository ${shown}: ${fault}. Nothing was made, and nothing is taken for absent. Look whether its volume is mounted and the key repository is right; ${otherwise}`;
  return new PluginError(text, { kind: "unavailable" });
}

/** The error of what reads a repository that no put has made yet; `isNew` where it is known that there never was one. */
export function notMadeYet(action: string, { shown }: RepositoryLocation, isNew: boolean): PluginError {
  const text = `${action} in repository ${shown}: there is no repository yet; the first put makes it (key initialize), and so does flotilla check. If there are backups in it, look whether its volume is mounted and the key repository is right`;
  return new PluginError(text, { kind: "invalid-config", code: isNew ? neverMadeCode : notMadeYetCode });
}

/** Whether an error says that no repository was made yet, as far as is known. */
export function isNotMadeYet(error: unknown): boolean {
  return error instanceof PluginError && (error.code === notMadeYetCode || error.code === neverMadeCode);
}

/** Whether an error says that there never was a repository, so that nothing can be in it. */
export function isNeverMade(error: unknown): boolean {
  return error instanceof PluginError && error.code === neverMadeCode;
}
