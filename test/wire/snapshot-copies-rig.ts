import { setTimeout as delay } from "node:timers/promises";

import { CreateSnapshotCommand, DeleteSnapshotCommand, DescribeSnapshotsCommand } from "@aws-sdk/client-ec2";
import type { Snapshot } from "@aws-sdk/client-ec2";
import type { VolumeSnapshotterClient } from "@flotilla/host";
import type { Ec2Options } from "@flotilla/test/emulators";

import { startVolumeRig, tagsOf } from "./volume-rig.ts";
import type { VolumeRig } from "./volume-rig.ts";

/** Where backups are made. */
export const home = "us-east-1";

/** Where copies are made. */
export const there = "eu-west-1";

/** A second target. */
export const elsewhere = "us-west-2";

/** A stand-in of several regions, with the questions that tests of copies ask. */
export interface CopiesRig extends VolumeRig {
  /** Makes a snapshot as a backup does, waits until it is completed, and answers its id. */
  snapshot(
    snapshotter: VolumeSnapshotterClient,
    backup?: string,
    seed?: Parameters<VolumeRig["addVolume"]>[0],
  ): Promise<string>;
  /** Makes a snapshot in the home region as the official plugin does, and answers its id. */
  snapshotOfficially(backup?: string): Promise<string>;
  /** All snapshots in a region that say of themselves that they are copies, of one origin where it is given. */
  copiesIn(region: string, originId?: string): Promise<readonly Snapshot[]>;
  /** Deletes a snapshot as the official plugin does: itself and nothing else. */
  deleteOfficially(snapshotId: string, region?: string): Promise<void>;
}

/** Starts the stand-in and a plugin process. */
export async function startCopiesRig(standIn: Omit<Ec2Options, "stateDir" | "accounts"> = {}): Promise<CopiesRig> {
  const rig = await startVolumeRig({ regions: [home, there, elsewhere], ...standIn });
  return {
    ...rig,
    snapshot: async (snapshotter, backup = "nightly", seed = {}) => {
      const volumeId = rig.addVolume({ zone: `${home}a`, ...seed });
      const tags = { "velero.io/backup": backup, "velero.io/pv": volumeId };
      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: `${home}a`, tags });
      // Completed by the next request, which may come within the same millisecond.
      await delay(2);
      return snapshotId;
    },
    snapshotOfficially: async (backup = "nightly") => {
      const VolumeId = rig.addVolume({ zone: `${home}a` });
      const Tags = [
        { Key: "velero.io/backup", Value: backup },
        { Key: "velero.io/pv", Value: VolumeId },
      ];
      const TagSpecifications = [{ ResourceType: "snapshot" as const, Tags }];
      const { SnapshotId = "" } = await rig
        .probe(home)
        .send(new CreateSnapshotCommand({ VolumeId, TagSpecifications }));
      return SnapshotId;
    },
    copiesIn: async (region, originId) => {
      const Filters = [{ Name: "tag-key", Values: ["flotilla.io/copy-of"] }];
      const { Snapshots = [] } = await rig
        .probe(region)
        .send(new DescribeSnapshotsCommand({ OwnerIds: ["self"], Filters }));
      return Snapshots.filter((one) => originId === undefined || tagsOf(one)["flotilla.io/copy-of"] === originId);
    },
    deleteOfficially: async (snapshotId, region = home) => {
      await rig.probe(region).send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }));
    },
  };
}
