import { completionPercent, provisioningState } from "./model.ts";
import type { Disk, Snapshot } from "./model.ts";
import { formatId } from "./resource-id.ts";

type Json = Readonly<Record<string, unknown>>;

const gib = 1024 ** 3;

/** Writes a disk as the API answers it. */
export function writeDisk(disk: Disk, nowMs: number): Json {
  return {
    ...writeCommon(disk, "Microsoft.Compute/disks"),
    ...(disk.managedBy === undefined ? {} : { managedBy: disk.managedBy }),
    ...(disk.zones.length === 0 ? {} : { zones: disk.zones }),
    sku: { name: disk.sku, tier: tierOf(disk.sku) },
    properties: {
      ...writeProperties(disk, nowMs),
      diskIOPSReadWrite: disk.iops,
      diskMBpsReadWrite: disk.mbps,
      diskState: disk.managedBy === undefined ? accessState(disk, nowMs) : "Attached",
    },
  };
}

/** Writes a snapshot as the API answers it. */
export function writeSnapshot(snapshot: Snapshot, nowMs: number): Json {
  const percent = completionPercent(snapshot, nowMs);
  const { copyFailure, familyId } = snapshot;
  return {
    ...writeCommon(snapshot, "Microsoft.Compute/snapshots"),
    sku: { name: snapshot.sku, tier: tierOf(snapshot.sku) },
    properties: {
      ...writeProperties(snapshot, nowMs),
      diskState: accessState(snapshot, nowMs),
      incremental: snapshot.isIncremental,
      ...(familyId === undefined ? {} : { incrementalSnapshotFamilyId: familyId }),
      completionPercent: percent,
      snapshotAccessState: percent < 100 && snapshot.needsCopy ? "Pending" : "Available",
      ...(copyFailure !== undefined && copyFailure.atMs <= nowMs
        ? { copyCompletionError: { errorCode: copyFailure.code, errorMessage: copyFailure.message } }
        : {}),
    },
  };
}

function writeCommon(one: Disk | Snapshot, type: string): Json {
  const { id, location, tags } = one;
  return {
    name: id.name,
    id: formatId(id),
    type,
    location,
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
  };
}

function writeProperties(one: Disk | Snapshot, nowMs: number): Json {
  const { creation, encryption, sizeGiB } = one;
  const { rest, ...data } = creation;
  return {
    networkAccessPolicy: "AllowAll",
    publicNetworkAccess: "Enabled",
    ...one.rest,
    creationData: { ...data, ...rest },
    diskSizeGB: sizeGiB,
    diskSizeBytes: sizeGiB * gib,
    encryption,
    timeCreated: new Date(one.createdMs).toISOString(),
    provisioningState: provisioningState(one, nowMs),
    uniqueId: one.uniqueId,
  };
}

function accessState({ accessUntilMs }: Disk | Snapshot, nowMs: number): string {
  return accessUntilMs !== undefined && nowMs < accessUntilMs ? "ActiveSAS" : "Unattached";
}

function tierOf(sku: string): string {
  if (sku.startsWith("Ultra")) return "Ultra";
  return sku.startsWith("Premium") ? "Premium" : "Standard";
}
