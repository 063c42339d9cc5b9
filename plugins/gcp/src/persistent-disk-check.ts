import { randomUUID } from "node:crypto";
import { trustFindings } from "@flotilla/sdk/network";
import { advice, failure, isKind, ok, PluginError, withoutEffect } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { volumeSnapshotterConfig } from "./config.ts";
import type { VolumeSnapshotterConfig } from "./config.ts";
import { isAbsence } from "./gce-codes.ts";
import type { GceDisk, GceSnapshot } from "./gce-resources.ts";
import type { PersistentDiskApi } from "./persistent-disk-api.ts";
import { checkCopies } from "./persistent-disk-copy-check.ts";
import type { CopyDestination } from "./persistent-disk-copier.ts";
import { printGceId } from "./persistent-disk-ids.ts";
import type { DiskId, GceId, SnapshotId } from "./persistent-disk-ids.ts";
import { snapshotQuota } from "./persistent-disk-quota.ts";
import type { SnapshotQuota } from "./persistent-disk-quota.ts";

/** What the check of a location looks at. */
export interface CheckedSnapshotter {
  readonly config: VolumeSnapshotterConfig;
  readonly api: PersistentDiskApi;
  readonly diskProject: string;
  readonly snapshotProject: string;
  readonly destinations: readonly CopyDestination[];
}

type Try = (call: Call) => Promise<unknown>;

/** How a permission is tried. */
interface Trial {
  readonly permission: string;
  readonly id: GceId;
  readonly attempt: Try;
  /** What is lost without it; undefined where nothing works then. */
  readonly loss?: string;
}

// Permissions on a project are the same in each zone; of those that every project has, this is the oldest.
const anyZone = { scope: "zones", name: "us-central1-a" } as const;

/**
 * Tries each permission of a location on names that nobody has: Compute Engine looks at permissions before it looks for
 * the resource, so nothing is changed.
 */
export async function* checkVolumeSnapshotter(checked: CheckedSnapshotter, call: Call): AsyncGenerator<Finding> {
  const { config, diskProject, snapshotProject } = checked;
  yield* withoutEffect(volumeSnapshotterConfig, config);
  yield* trustFindings(config);
  for (const project of new Set([diskProject, snapshotProject])) {
    const { findings, isThere } = await checkProject(checked, project, call);
    yield* findings;
    if (!isThere) return;
  }
  const name = `flotilla-check-${randomUUID()}`;
  const disk: DiskId = { type: "disks", project: diskProject, location: anyZone, name };
  const snapshot: SnapshotId = { type: "snapshots", project: snapshotProject, name };
  let isZoneKnown = true;
  for (const { permission, id, attempt, loss } of trialsOf(checked.api, disk, snapshot)) {
    if (id.type === "disks" && !isZoneKnown) continue;
    const { finding, outcome } = await tryOut(permission, attempt, call);
    if (id.type === "disks" && outcome === "refused") {
      isZoneKnown = false;
      yield advice("disks", `could not be tried: ${finding.detail}`, "check the role of the identity");
      continue;
    }
    yield loss === undefined || finding.severity !== "failure"
      ? finding
      : advice(permission, `${finding.detail}: ${loss}`, finding.remedy);
    if (outcome === "unreachable") return;
  }
  yield* checkCopies(checked, call);
}

function trialsOf(api: PersistentDiskApi, disk: DiskId, snapshot: SnapshotId): readonly Trial[] {
  const labels = { "flotilla-check": "" };
  const ofDisk = {
    name: snapshot.name,
    sourceDisk: `projects/${disk.project}/zones/${anyZone.name}/disks/${disk.name}`,
  };
  const ofSnapshot = { name: disk.name, sourceSnapshot: printGceId(snapshot) };
  const noLabels = "what is made has no labels";
  const trial = (id: GceId, verb: string, attempt: Try, loss?: string): Trial => {
    const permission = `compute.${id.type}.${verb}`;
    return { permission, id, attempt, ...(loss === undefined ? {} : { loss }) };
  };
  const snapshotWith = (more: GceSnapshot): Try =>
    creating(api, snapshot, async (call) => await api.createSnapshot(snapshot, { ...ofDisk, ...more }, call));
  const diskWith = (more: GceDisk): Try =>
    creating(api, disk, async (call) => await api.createDisk(disk, { ...ofSnapshot, ...more }, call));
  const looking = (id: GceId, permission: string): Trial => ({
    permission,
    id,
    attempt: async (call) => await api.getOperation(id, id.name, call),
    loss: "what fails after it was accepted fails without a reason",
  });
  return [
    trial(disk, "get", async (call) => await api.getDisk(disk, call)),
    trial(snapshot, "get", async (call) => await api.getSnapshot(snapshot, call)),
    trial(snapshot, "delete", async (call) => await api.delete(snapshot, call)),
    trial(snapshot, "create", snapshotWith({})),
    trial(disk, "create", diskWith({})),
    trial(snapshot, "setLabels", snapshotWith({ labels }), noLabels),
    trial(disk, "setLabels", diskWith({ labels }), noLabels),
    trial(disk, "delete", async (call) => await api.delete(disk, call), "a disk that cannot be made stays"),
    looking(snapshot, "compute.globalOperations.get"),
    looking(disk, "compute.zoneOperations.get"),
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

/** A missing project would answer each trial like a missing disk. */
async function checkProject(
  { api, snapshotProject }: CheckedSnapshotter,
  project: string,
  call: Call,
): Promise<{ readonly findings: readonly Finding[]; readonly isThere: boolean }> {
  const permission = `compute.projects.get on "${project}"`;
  try {
    const quota = await snapshotQuota(api, project, call);
    const isOfSnapshots = project === snapshotProject && quota !== undefined;
    const findings = [ok(permission, "allowed"), ...(isOfSnapshots ? [quotaFinding(quota)] : [])];
    return { findings, isThere: true };
  } catch (error) {
    const { detail, remedy } = failure(permission, error);
    if (!isKind(error, "denied")) return { findings: [failure(permission, error)], isThere: false };
    const loss = `${detail}: a quota that is used up is not seen before a snapshot is asked for`;
    return { findings: [advice(permission, loss, remedy)], isThere: true };
  }
}

function quotaFinding({ usage, limit }: SnapshotQuota): Finding {
  const seen = `${usage} of ${limit} snapshots of the project are used`;
  if (usage < limit) return ok("quota SNAPSHOTS", seen);
  return failure("quota SNAPSHOTS", new Error(`${seen}; raise the quota of the project or let backups expire`));
}

interface Tried {
  readonly finding: Finding;
  /** `refused`: not for a permission, and not because the made-up name is nobody's. */
  readonly outcome: "told" | "refused" | "unreachable";
}

async function tryOut(permission: string, attempt: Try, call: Call): Promise<Tried> {
  try {
    await attempt(call);
    return { finding: ok(permission, "allowed"), outcome: "told" };
  } catch (error) {
    const { kind } = PluginError.from(error);
    if (kind === "not-found" || isMissingSource(error)) return { finding: ok(permission, "allowed"), outcome: "told" };
    const finding = failure(permission, error);
    if (kind === "invalid-argument") return { finding, outcome: "refused" };
    return { finding, outcome: kind === "denied" || kind === "held" ? "told" : "unreachable" };
  }
}

/** Whether all that was wrong is what the made-up disk or snapshot was to be made of. */
function isMissingSource(thrown: unknown): boolean {
  return isKind(thrown, "invalid-argument") && isAbsence(thrown.code ?? "");
}
