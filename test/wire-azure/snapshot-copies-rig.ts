import type { VolumeSnapshotterClient } from "@flotilla/host";
import type { CopyStatus } from "@flotilla/sdk/volumes";
import { CopyRounds } from "@flotilla/sdk/volumes";
import { silentLogger } from "@flotilla/sdk/plugin";
import { azureDefaults } from "@flotilla/test/emulators";
import type { AzureArmOptions } from "@flotilla/test/emulators";

import { untilSettled } from "../wire/until-settled.ts";
import type { Session } from "./harness.ts";
import { startVolumeRig } from "./volume-rig.ts";
import type { VolumeRig } from "./volume-rig.ts";

export const homeRegion = azureDefaults.location;
export const otherRegion = azureDefaults.otherLocation;

/** The resource group of the copies, and that of the cluster in the other region. */
export const copiesGroup = "copies";
export const otherNodes = "other-nodes";

/** How a location differs from the usual one. */
interface RegionOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly session?: Session;
}

/** An ARM stand-in with two regions, and a plugin process. */
export interface RegionsRig extends VolumeRig {
  /** A location of the home region, whose snapshots are copied; a process of its own unless told. */
  openHome(options?: RegionOptions): Promise<VolumeSnapshotterClient>;
  /** A location of the other region, which has the copies; a process of its own unless told. */
  openOther(options?: RegionOptions): Promise<VolumeSnapshotterClient>;
  /** Copies all snapshots of backups until nothing is left to be done, as `flotilla volume copy --all --watch` does. */
  copyAll(home: VolumeSnapshotterClient): Promise<readonly CopyStatus[]>;
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
export async function startRegionsRig(options: Omit<AzureArmOptions, "stateDir"> = {}): Promise<RegionsRig> {
  const { subscriptionId, resourceGroup } = azureDefaults;
  const resourceGroups = [resourceGroup, copiesGroup, otherNodes];
  const rig = await startVolumeRig({ subscriptions: [{ subscriptionId, resourceGroups }], ...options });
  return {
    ...rig,
    openHome: async ({ config, session = rig.start() } = {}) =>
      await rig.open({
        config: { incremental: "true", copyToRegions: `${otherRegion}?resourceGroup=${copiesGroup}`, ...config },
        session,
      }),
    openOther: async ({ config, session = rig.start() } = {}) =>
      await rig.open({
        config: { resourceGroup: copiesGroup, region: otherRegion, ...config },
        lines: { AZURE_RESOURCE_GROUP: otherNodes },
        session,
      }),
    copyAll: async (home) => {
      const rounds = new CopyRounds(home.copies);
      return await untilSettled(async () => await copyRound(home, rounds));
    },
  };
}
