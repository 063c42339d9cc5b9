import type { VolumeFromSnapshot } from "@flotilla/sdk/plugin";
import type { GceDisk, GceSnapshot } from "./gce-resources.ts";
import { keyName, readMarks } from "./persistent-disk-marks.ts";
import type { DiskMarks } from "./persistent-disk-marks.ts";
import type { DiskId, DiskLocation } from "./persistent-disk-ids.ts";
import { diskDescription, readTags } from "./persistent-disk-tags.ts";
import { diskTypeUrl, hasAccessMode, hasIops, hasThroughput } from "./persistent-disk-type.ts";

/** What the location says about new snapshots. */
export interface SnapshotSettings {
  /** Undefined leaves it to Compute Engine: near the disk. */
  readonly snapshotLocation: string | undefined;
  readonly snapshotType: "STANDARD" | "ARCHIVE";
  /** Of new snapshots and of restored disks; undefined keeps the disk's own. */
  readonly kmsKeyName: string | undefined;
}

/** The request for a snapshot of a disk. Compute Engine itself takes over the key of a disk that has one. */
export function snapshotOf(name: string, disk: GceDisk, description: string, settings: SnapshotSettings): GceSnapshot {
  const { snapshotLocation, snapshotType, kmsKeyName } = settings;
  return {
    name,
    ...(description === "" ? {} : { description }),
    ...(disk.selfLink === undefined ? {} : { sourceDisk: disk.selfLink }),
    ...(disk.labels === undefined ? {} : { labels: disk.labels }),
    snapshotType,
    ...(snapshotLocation === undefined ? {} : { storageLocations: [snapshotLocation] }),
    ...(kmsKeyName === undefined ? {} : { snapshotEncryptionKey: { kmsKeyName } }),
  };
}

/** The request for a disk made from a snapshot; of another type than the recorded one, without what that type had. */
export function diskOf(
  { name, project, location }: DiskId,
  snapshot: GceSnapshot,
  request: VolumeFromSnapshot & { readonly isOtherType?: boolean },
  settings: Pick<SnapshotSettings, "kmsKeyName">,
): GceDisk {
  const { selfLink, labels, snapshotEncryptionKey, enableConfidentialCompute } = snapshot;
  const { volumeType } = request;
  const marks = readMarks(readTags(snapshot.description ?? ""));
  const description = diskDescription(snapshot.description ?? "");
  const kmsKeyName = settings.kmsKeyName ?? marks.kmsKeyName ?? keyName(snapshotEncryptionKey?.kmsKeyName);
  return {
    name,
    ...(selfLink === undefined ? {} : { sourceSnapshot: selfLink }),
    ...(volumeType === "" ? {} : { type: diskTypeUrl(volumeType, project, location) }),
    ...(description === "" ? {} : { description }),
    ...(labels === undefined ? {} : { labels }),
    ...zonesOf(location, project),
    ...(request.isOtherType === true ? {} : performanceOf(request, marks)),
    ...(kmsKeyName === undefined ? {} : { diskEncryptionKey: { kmsKeyName } }),
    ...(enableConfidentialCompute === true ? { enableConfidentialCompute } : {}),
  };
}

function zonesOf(location: DiskLocation, project: string): Pick<GceDisk, "replicaZones"> {
  if (location.scope === "zones") return {};
  return { replicaZones: location.replicaZones.map((zone) => `projects/${project}/zones/${zone}`) };
}

/** What the type of the restored disk lets be chosen; of another type Compute Engine would refuse it. */
function performanceOf(
  { volumeType, iops = 0n }: VolumeFromSnapshot,
  { iops: markedIops, throughput, accessMode }: DiskMarks,
): Pick<GceDisk, "provisionedIops" | "provisionedThroughput" | "accessMode"> {
  const provisionedIops = iops > 0n ? String(iops) : markedIops;
  return {
    ...(hasIops(volumeType) && provisionedIops !== undefined ? { provisionedIops } : {}),
    ...(hasThroughput(volumeType) && throughput !== undefined ? { provisionedThroughput: throughput } : {}),
    ...(hasAccessMode(volumeType) && accessMode !== undefined ? { accessMode } : {}),
  };
}
