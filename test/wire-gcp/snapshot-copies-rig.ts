import type { VolumeSnapshotterClient } from "@flotilla/host";
import type { CopyStatus } from "@flotilla/sdk/volumes";
import { CopyRounds } from "@flotilla/sdk/volumes";
import { silentLogger } from "@flotilla/sdk/plugin";
import { gcpDefaults } from "@flotilla/test/emulators";
import type { GceOptions } from "@flotilla/test/emulators";

import { untilSettled } from "../wire/until-settled.ts";
import type { Session } from "./harness.ts";
import { project, startVolumeRig } from "./volume-rig.ts";
import type { VolumeRig } from "./volume-rig.ts";

export const homeRegion: string = gcpDefaults.region;
export const otherRegion: string = gcpDefaults.otherRegion;
export const homeZone: string = gcpDefaults.zone;

/** How a location differs from the usual one. */
interface HomeOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly session?: Session;
}

/** A stand-in of Compute Engine with two regions, and a plugin process. */
export interface SnapshotCopiesRig extends VolumeRig {
  /** A location whose snapshots are stored in its own region and copied to the other; a process of its own unless told. */
  openHome(options?: HomeOptions): Promise<VolumeSnapshotterClient>;
  /** Backs up a new disk, waits until its snapshot is ready, and answers its name. */
  backUp(home: VolumeSnapshotterClient, backup: string, seed?: Parameters<VolumeRig["addDisk"]>[0]): Promise<string>;
  /** Copies all snapshots of backups until nothing is left to be done, as `flotilla volume copy --all --watch` does. */
  copyAll(home: VolumeSnapshotterClient): Promise<readonly CopyStatus[]>;
  /** The names of all disks and snapshots on the way to copies, and of the copies, in the usual project. */
  remnants(): Promise<readonly string[]>;
}

const call = { log: silentLogger, signal: new AbortController().signal };

/** Looks once and does what can be done. */
export async function copyRound(
  home: VolumeSnapshotterClient,
  rounds: CopyRounds = new CopyRounds(home.copies),
): Promise<readonly CopyStatus[]> {
  const origins = await Array.fromAsync(home.copies.listOrigins({}));
  return await rounds.run(await home.copies.targets(), origins, call);
}

/** Starts both regions. */
export async function startSnapshotCopiesRig(
  options: Omit<GceOptions, "stateDir" | "tokens"> = {},
): Promise<SnapshotCopiesRig> {
  const rig = await startVolumeRig(options);
  return {
    ...rig,
    openHome: async ({ config, session = rig.start() } = {}) =>
      await rig.open({ config: { snapshotLocation: homeRegion, copyToRegions: otherRegion, ...config }, session }),
    backUp: async (home, backup, seed) => {
      const volumeId = rig.addDisk(seed);
      const tags = { "velero.io/backup": backup, "velero.io/pv": volumeId };
      const snapshotId = await home.createSnapshot({ volumeId, volumeAz: seed?.zone ?? homeZone, tags });
      await rig.untilReady(snapshotId);
      return snapshotId;
    },
    copyAll: async (home) => {
      const rounds = new CopyRounds(home.copies);
      return await untilSettled(async () => await copyRound(home, rounds));
    },
    remnants: async () => await rig.namesLike("copy-"),
  };
}

/** The path of a disk on the way to a copy. */
export function temporaryDisk(copyId: string, zone: string = `${otherRegion}-b`): string {
  return `projects/${project}/zones/${zone}/disks/${copyId}`;
}
