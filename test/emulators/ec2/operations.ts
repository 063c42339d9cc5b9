import type { Handler } from "./call.ts";
import { describeAvailabilityZones, describeRegions } from "./regions.ts";
import {
  copySnapshot,
  createSnapshot,
  deleteSnapshot,
  describeSnapshotAttribute,
  describeSnapshots,
  modifySnapshotAttribute,
  modifySnapshotTier,
  restoreSnapshotTier,
} from "./snapshots.ts";
import { createTags, deleteTags, describeTags } from "./tags.ts";
import { createVolume, deleteVolume, describeVolumes } from "./volumes.ts";

/** Every EC2 action that the stand-in has. */
export const operations: Readonly<Record<string, Handler>> = {
  CreateVolume: createVolume,
  DescribeVolumes: describeVolumes,
  DeleteVolume: deleteVolume,
  CreateSnapshot: createSnapshot,
  DescribeSnapshots: describeSnapshots,
  DeleteSnapshot: deleteSnapshot,
  CopySnapshot: copySnapshot,
  DescribeSnapshotAttribute: describeSnapshotAttribute,
  ModifySnapshotAttribute: modifySnapshotAttribute,
  ModifySnapshotTier: modifySnapshotTier,
  RestoreSnapshotTier: restoreSnapshotTier,
  CreateTags: createTags,
  DeleteTags: deleteTags,
  DescribeTags: describeTags,
  DescribeRegions: describeRegions,
  DescribeAvailabilityZones: describeAvailabilityZones,
};

/** The actions that change something. */
export function isChange(action: string): boolean {
  return !action.startsWith("Describe");
}
