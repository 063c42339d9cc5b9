import { isJsonObject, ownDomain, parseJson, PluginError } from "@flotilla/sdk/plugin";
import type { JsonObject, OpenContext } from "@flotilla/sdk/plugin";
import { askKubernetes, namespaceOfServer } from "@flotilla/sdk/secrets";
import { isSamePlace, parseRepository } from "./repository-location.ts";
import type { RepositoryLocation } from "./repository-location.ts";

/** Where to ask. */
export interface ClusterContext extends Pick<OpenContext, "env" | "signal"> {
  readonly serviceAccountFolder?: string;
}

/** Some of the finished backups that the cluster holds of locations of one repository. */
export interface KnownBackups {
  readonly names: readonly string[];
  /** The locations. */
  readonly locations: readonly string[];
}

/** Phases of a backup that has left something in its locations. */
const storedPhases: readonly unknown[] = [
  "Completed",
  "PartiallyFailed",
  "Finalizing",
  "FinalizingPartiallyFailed",
  "WaitingForPluginOperations",
  "WaitingForPluginOperationsPartiallyFailed",
];

const pageSize = 200;
const enoughNames = 3;

/**
 * The backups that the cluster itself says to be in this repository, by the Backup objects and the locations in the
 * server's namespace. Undefined where that cannot be known: this is no pod of the server, or one whose service account
 * may not look. Throws where the API does not answer.
 */
export async function backupsOfCluster(
  repository: RepositoryLocation,
  context: ClusterContext,
): Promise<KnownBackups | undefined> {
  const isOfRepository = (location: JsonObject): boolean => namesRepository(location, repository);
  const storage = await list("backupstoragelocations", Infinity, isOfRepository, context);
  const snapshots = await list("volumesnapshotlocations", Infinity, isOfRepository, context);
  if (storage === undefined || snapshots === undefined) return undefined;
  const [storageNames, snapshotNames] = [storage.flatMap(nameOf), snapshots.flatMap(nameOf)];
  const locations = [...new Set([...storageNames, ...snapshotNames])];
  if (locations.length === 0) return { names: [], locations };
  const isKept = (backup: JsonObject): boolean => isStoredIn(backup, storageNames, snapshotNames);
  const backups = await list("backups", enoughNames, isKept, context);
  return backups === undefined ? undefined : { names: backups.flatMap(nameOf), locations };
}

function namesRepository(location: JsonObject, repository: RepositoryLocation): boolean {
  const { provider, config } = objectAt(location, "spec");
  if (provider !== `${ownDomain}/restic` || !isJsonObject(config)) return false;
  const text = config["repository"];
  try {
    return typeof text === "string" && isSamePlace(parseRepository(text), repository);
  } catch {
    // Another location's key is wrong; that one says so itself.
    return false;
  }
}

function isStoredIn(backup: JsonObject, storage: readonly string[], snapshots: readonly string[]): boolean {
  const { storageLocation, volumeSnapshotLocations } = objectAt(backup, "spec");
  const { phase, volumeSnapshotsCompleted } = objectAt(backup, "status");
  if (!storedPhases.includes(phase)) return false;
  if (typeof storageLocation === "string" && storage.includes(storageLocation)) return true;
  const isSnapshotted = typeof volumeSnapshotsCompleted === "number" && volumeSnapshotsCompleted > 0;
  const names = Array.isArray(volumeSnapshotLocations) ? volumeSnapshotLocations : [];
  return isSnapshotted && names.some((name) => typeof name === "string" && snapshots.includes(name));
}

/** The first few objects of a kind that are wanted. */
async function list(
  kind: string,
  most: number,
  isWanted: (item: JsonObject) => boolean,
  context: ClusterContext,
): Promise<readonly JsonObject[] | undefined> {
  const found: JsonObject[] = [];
  let from = "";
  do {
    const page = await ask(kind, from, context);
    if (page === undefined) return undefined;
    const items = Array.isArray(page["items"]) ? page["items"].filter(isJsonObject) : [];
    found.push(...items.filter(isWanted));
    const next = objectAt(page, "metadata")["continue"];
    from = typeof next === "string" ? next : "";
  } while (from !== "" && found.length < most);
  return found.slice(0, most);
}

async function ask(kind: string, from: string, context: ClusterContext): Promise<JsonObject | undefined> {
  const namespace = namespaceOfServer(context.env);
  if (namespace === undefined) return undefined;
  const query = `limit=${pageSize}${from === "" ? "" : `&continue=${encodeURIComponent(from)}`}`;
  const path = `/apis/velero.io/v1/namespaces/${encodeURIComponent(namespace)}/${kind}?${query}`;
  try {
    const { status, body } = await askKubernetes({ ...context, path });
    // No server has run here, or this is no pod of it.
    if ([401, 403, 404].includes(status)) return undefined;
    const answer = status === 200 ? parseJson(body) : undefined;
    if (isJsonObject(answer)) return answer;
    throw new Error(`status ${status}`);
  } catch (error) {
    // No service account is mounted.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    context.signal.throwIfAborted();
    throw new PluginError(
      `look for ${kind} in namespace "${namespace}", which tell whether there ever was a repository: the Kubernetes API gives no answer; try again`,
      { kind: "unavailable", cause: error },
    );
  }
}

function nameOf(item: JsonObject): readonly string[] {
  const { name } = objectAt(item, "metadata");
  return typeof name === "string" ? [name] : [];
}

function objectAt(item: JsonObject, field: string): JsonObject {
  const value = item[field];
  return isJsonObject(value) ? value : {};
}
