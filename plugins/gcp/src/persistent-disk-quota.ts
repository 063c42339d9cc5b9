import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { PersistentDiskApi } from "./persistent-disk-api.ts";

/** How many snapshots a project has, and may have. */
export interface SnapshotQuota {
  readonly usage: number;
  readonly limit: number;
}

/** The quota of a project for snapshots; undefined where the service names none. */
export async function snapshotQuota(
  api: PersistentDiskApi,
  project: string,
  call: Call,
): Promise<SnapshotQuota | undefined> {
  const { quotas = [] } = await api.getProject(project, call);
  const { usage, limit } = quotas.find(({ metric }) => metric === "SNAPSHOTS") ?? {};
  // A negative limit is none, as quotas without one are written.
  return usage === undefined || limit === undefined || limit < 0 ? undefined : { usage, limit };
}

/** Throws where a project has as many snapshots as it may: Compute Engine would say so only after it accepted one. */
export async function requireSnapshotQuota(api: PersistentDiskApi, project: string, call: Call): Promise<void> {
  const quota = await readable(snapshotQuota(api, project, call), project, call);
  if (quota === undefined || quota.usage < quota.limit) return;
  throw new PluginError(
    `create a snapshot in project "${project}": the quota SNAPSHOTS is used up (${quota.usage} of ${quota.limit}); ` +
      "raise the quota of the project or let backups expire",
    { kind: "unavailable", code: "quotaExceeded" },
  );
}

/** A location that may not read quotas can make snapshots all the same. */
async function readable<T>(quota: Promise<T>, project: string, call: Call): Promise<T | undefined> {
  try {
    return await quota;
  } catch (error) {
    if (isKind(error, "denied")) {
      call.log.debug("the quotas of the project cannot be read", { project, reason: error.message });
      return undefined;
    }
    if (isKind(error, "not-found") || isKind(error, "invalid-argument"))
      throw new PluginError(
        `${error.message}; correct the location's key project, or volumeProject where that is not set`,
        { kind: "invalid-config", code: error.code, cause: error },
      );
    throw error;
  }
}
