import { randomUUID } from "node:crypto";
import type { Disk } from "@azure/arm-compute";
import { trustFindings } from "@flotilla/sdk/network";
import { advice, failure, ok, PluginError, withoutEffect } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { volumeSnapshotterConfig } from "./config.ts";
import type { VolumeSnapshotterConfig } from "./config.ts";
import type { ManagedDiskApi } from "./managed-disk-api.ts";
import type { CopyDestination } from "./managed-disk-copier.ts";
import { checkEncryptionSets, checkEncryptionSet } from "./managed-disk-encryption.ts";
import { isSameName, printComputeId } from "./managed-disk-ids.ts";
import type { ComputeId, Place } from "./managed-disk-ids.ts";

/** What the check of a location looks at. */
export interface CheckedSnapshotter {
  readonly config: VolumeSnapshotterConfig;
  readonly api: ManagedDiskApi;
  readonly disks: Place;
  readonly snapshots: Place;
  /** Of `copyToRegions`. */
  readonly destinations: readonly CopyDestination[];
}

type Try = (call: Call) => Promise<unknown>;

/**
 * Tries each permission of a location on names that nobody has: Azure looks at permissions before it looks for the
 * resource, so nothing is changed.
 */
export async function* checkVolumeSnapshotter(checked: CheckedSnapshotter, call: Call): AsyncGenerator<Finding> {
  const { config, api, disks, snapshots } = checked;
  yield* withoutEffect(volumeSnapshotterConfig, config);
  yield* trustFindings(config);
  if (config.resourceGroup === undefined && !isSameName(disks.subscription, snapshots.subscription))
    yield advice(
      "resourceGroup",
      `is not set, so snapshots are made in resource group "${snapshots.resourceGroup}" of subscription ${snapshots.subscription}, which is not the cluster's`,
      "name the resource group of that subscription in which snapshots are made",
    );
  const name = `flotilla-check-${randomUUID()}`;
  const disk: ComputeId = { ...disks, type: "disks", name };
  const snapshot: ComputeId = { ...snapshots, type: "snapshots", name };
  const harmless: readonly (readonly [string, Try])[] = [
    ["Microsoft.Compute/disks/read", async (call) => await api.getDisk(disk, call)],
    ["Microsoft.Compute/snapshots/read", async (call) => await api.getSnapshot(snapshot, call)],
    ["Microsoft.Compute/snapshots/delete", async (call) => await api.delete(snapshot, call)],
  ];
  for (const [permission, attempt] of harmless) {
    const { finding, isReachable } = await tryOut(permission, attempt, call);
    yield finding;
    if (!isReachable) return;
  }
  yield* checkWrites(checked, disk, snapshot, call);
  yield* checkEncryptionSets(api, disks, call);
  yield* checkDestinations(checked, snapshot, call);
}

/** Tries what copies need, with an origin that nobody has. */
async function* checkDestinations(
  { config, api, destinations }: CheckedSnapshotter,
  origin: ComputeId,
  call: Call,
): AsyncGenerator<Finding> {
  if (destinations.length > 0 && config.wait !== "completed")
    yield advice(
      "copyToRegions",
      "copies are not made while a backup runs",
      "run `flotilla volume copy --all --watch`, for example as a CronJob, or set wait to completed",
    );
  for (const { region, place, encryptionSet } of destinations) {
    const copy: ComputeId = { ...place, type: "snapshots", name: origin.name };
    const content = {
      location: region,
      incremental: true,
      creationData: { createOption: "CopyStart", sourceResourceId: printComputeId(origin) },
    };
    const tries: readonly (readonly [string, Try])[] = [
      ["Microsoft.Compute/snapshots/read", async (call) => await api.snapshotsIn(place, call)],
      ["Microsoft.Compute/snapshots/write", async (call) => await api.copySnapshot(copy, content, call)],
      ["Microsoft.Compute/snapshots/delete", async (call) => await api.delete(copy, call)],
    ];
    for (const [permission, attempt] of tries) {
      const { finding, isReachable } = await tryOut(`copyToRegions ${region}: ${permission}`, attempt, call);
      yield finding;
      if (!isReachable) break;
    }
    if (encryptionSet !== undefined) yield* checkEncryptionSet(api, encryptionSet, call);
  }
}

async function* checkWrites(
  { api, disks }: CheckedSnapshotter,
  disk: ComputeId,
  snapshot: ComputeId,
  call: Call,
): AsyncGenerator<Finding> {
  const location = await regionOf(api, disks, call);
  if (location === undefined) {
    yield advice(
      "Microsoft.Compute/snapshots/write",
      "could not be tried: there is no disk in the resource group of the disks that tells the region",
      "check again once the cluster has a volume, or check the role of the identity",
    );
    return;
  }
  const copyOf = (source: ComputeId): Disk => ({
    location,
    creationData: { createOption: "Copy", sourceResourceId: printComputeId(source) },
  });
  const writes: readonly (readonly [string, ComputeId, Try])[] = [
    [
      "Microsoft.Compute/snapshots/write",
      snapshot,
      async (call) => await api.createSnapshot(snapshot, copyOf(disk), call),
    ],
    ["Microsoft.Compute/disks/write", disk, async (call) => await api.createDisk(disk, copyOf(snapshot), call)],
  ];
  for (const [permission, id, attempt] of writes) {
    const { finding, isDone } = await tryOut(permission, attempt, call);
    yield finding;
    if (isDone) await removeQuietly(api, id, call);
  }
}

async function regionOf(api: ManagedDiskApi, disks: Place, call: Call): Promise<string | undefined> {
  try {
    return await api.regionIn(disks, call);
  } catch {
    // Whatever is wrong was a finding of the reads already.
    return undefined;
  }
}

interface Tried {
  readonly finding: Finding;
  readonly isReachable: boolean;
  readonly isDone: boolean;
}

async function tryOut(permission: string, attempt: Try, call: Call): Promise<Tried> {
  try {
    await attempt(call);
    return { finding: ok(permission, "allowed"), isReachable: true, isDone: true };
  } catch (error) {
    if (missesResource(error)) return { finding: ok(permission, "allowed"), isReachable: true, isDone: false };
    const { kind } = PluginError.from(error);
    const isReachable = kind === "denied" || kind === "invalid-config" || kind === "held";
    return { finding: failure(permission, error), isReachable, isDone: false };
  }
}

/** Whether all that was wrong is what does not exist: the made-up disk or snapshot. */
function missesResource(thrown: unknown): boolean {
  const { kind, code } = PluginError.from(thrown);
  if (code === "ResourceGroupNotFound" || code === "SubscriptionNotFound") return false;
  return kind === "not-found" || kind === "invalid-argument" || code === "NotFound" || code === "ResourceNotFound";
}

async function removeQuietly(api: ManagedDiskApi, id: ComputeId, call: Call): Promise<void> {
  try {
    await api.delete(id, call);
  } catch (error) {
    call.log.info("what the check made could not be deleted", {
      id: printComputeId(id),
      reason: PluginError.from(error).message,
    });
  }
}
