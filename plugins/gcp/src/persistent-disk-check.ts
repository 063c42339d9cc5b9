import { randomUUID } from "node:crypto";
import { certificatesIn } from "@flotilla/sdk/network";
import { advice, failure, isKind, ok, PluginError, withoutEffect } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { volumeSnapshotterConfig } from "./config.ts";
import type { VolumeSnapshotterConfig } from "./config.ts";
import type { PersistentDiskApi } from "./persistent-disk-api.ts";
import { printGceId } from "./persistent-disk-ids.ts";
import type { DiskId, GceId, SnapshotId } from "./persistent-disk-ids.ts";
import { snapshotQuota } from "./persistent-disk-quota.ts";

/** What the check of a location looks at. */
export interface CheckedSnapshotter {
  readonly config: VolumeSnapshotterConfig;
  readonly api: PersistentDiskApi;
  readonly diskProject: string;
  readonly snapshotProject: string;
}

type Try = (call: Call) => Promise<unknown>;

/** A permission, how it is tried, and what is lost without it; undefined where nothing works then. */
type Trial = readonly [permission: string, attempt: Try, loss?: string];

// Permissions on a project are the same in each zone; of those that every project has, this is the oldest.
const anyZone = { scope: "zones", name: "us-central1-a" } as const;

/**
 * Tries each permission of a location on names that nobody has: Compute Engine looks at permissions before it looks for
 * the resource, so nothing is changed.
 */
export async function* checkVolumeSnapshotter(checked: CheckedSnapshotter, call: Call): AsyncGenerator<Finding> {
  const { config, diskProject, snapshotProject } = checked;
  yield* withoutEffect(volumeSnapshotterConfig, config);
  if (config.caCert !== undefined && certificatesIn(config.caCert).length === 0)
    yield advice("caCert", "holds no PEM certificate, so nothing more is trusted", "give the certificate in PEM form");
  const name = `flotilla-check-${randomUUID()}`;
  const disk: DiskId = { type: "disks", project: diskProject, location: anyZone, name };
  const snapshot: SnapshotId = { type: "snapshots", project: snapshotProject, name };
  for (const [permission, attempt, loss] of trialsOf(checked.api, disk, snapshot)) {
    const { finding, isReachable } = await tryOut(permission, attempt, call);
    yield loss === undefined || finding.severity !== "failure"
      ? finding
      : advice(permission, `${finding.detail}: ${loss}`, finding.remedy);
    if (!isReachable) return;
  }
  yield* checkQuota(checked, call);
}

function trialsOf(api: PersistentDiskApi, disk: DiskId, snapshot: SnapshotId): readonly Trial[] {
  const labels = { "flotilla-check": "" };
  const ofDisk = {
    name: snapshot.name,
    sourceDisk: `projects/${disk.project}/zones/${anyZone.name}/disks/${disk.name}`,
  };
  const ofSnapshot = { name: disk.name, sourceSnapshot: printGceId(snapshot) };
  const noLabels = "what is made has no labels";
  const unseen = "what fails after it was accepted fails without a reason";
  return [
    ["compute.disks.get", async (call) => await api.getDisk(disk, call)],
    ["compute.snapshots.get", async (call) => await api.getSnapshot(snapshot, call)],
    ["compute.snapshots.delete", async (call) => await api.delete(snapshot, call)],
    [
      "compute.snapshots.create",
      creating(api, snapshot, async (call) => await api.createSnapshot(snapshot, ofDisk, call)),
    ],
    ["compute.disks.create", creating(api, disk, async (call) => await api.createDisk(disk, ofSnapshot, call))],
    [
      "compute.snapshots.setLabels",
      creating(api, snapshot, async (call) => await api.createSnapshot(snapshot, { ...ofDisk, labels }, call)),
      noLabels,
    ],
    [
      "compute.disks.setLabels",
      creating(api, disk, async (call) => await api.createDisk(disk, { ...ofSnapshot, labels }, call)),
      noLabels,
    ],
    ["compute.disks.delete", async (call) => await api.delete(disk, call), "a disk that cannot be made stays"],
    ["compute.globalOperations.get", async (call) => await api.getOperation(snapshot, snapshot.name, call), unseen],
    ["compute.zoneOperations.get", async (call) => await api.getOperation(disk, disk.name, call), unseen],
  ];
}

/** What is made of something that nobody has is made nowhere; elsewhere it is removed again. */
function creating(api: PersistentDiskApi, id: GceId, attempt: Try): Try {
  return async (call) => {
    await attempt(call);
    try {
      await api.delete(id, call);
    } catch (error) {
      call.log.info("what the check made could not be deleted", {
        id: printGceId(id),
        reason: PluginError.from(error).message,
      });
    }
  };
}

async function* checkQuota({ api, snapshotProject }: CheckedSnapshotter, call: Call): AsyncGenerator<Finding> {
  const permission = "compute.projects.get";
  try {
    const quota = await snapshotQuota(api, snapshotProject, call);
    yield ok(permission, "allowed");
    if (quota === undefined) return;
    const seen = `${quota.usage} of ${quota.limit} snapshots of the project are used`;
    yield quota.usage < quota.limit
      ? ok("quota SNAPSHOTS", seen)
      : failure("quota SNAPSHOTS", new Error(`${seen}; raise the quota of the project or let backups expire`));
  } catch (error) {
    const { detail, remedy } = failure(permission, error);
    yield isKind(error, "denied")
      ? advice(permission, `${detail}: a quota that is used up is not seen before a snapshot is asked for`, remedy)
      : failure(permission, error);
  }
}

interface Tried {
  readonly finding: Finding;
  readonly isReachable: boolean;
}

async function tryOut(permission: string, attempt: Try, call: Call): Promise<Tried> {
  try {
    await attempt(call);
    return { finding: ok(permission, "allowed"), isReachable: true };
  } catch (error) {
    if (isKind(error, "not-found") || isKind(error, "invalid-argument"))
      return { finding: ok(permission, "allowed"), isReachable: true };
    const { kind } = PluginError.from(error);
    return { finding: failure(permission, error), isReachable: kind === "denied" || kind === "held" };
  }
}
