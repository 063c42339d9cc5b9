import { PluginError, systemClock } from "@flotilla/sdk/plugin";
import type { Call, OpenContext, OpenedVolumeSnapshotter } from "@flotilla/sdk/plugin";
import { withSnapshotCopies } from "@flotilla/sdk/volumes";
import { ArmSession } from "./arm-session.ts";
import { openConnection } from "./client.ts";
import type { Connection } from "./client.ts";
import type { VolumeSnapshotterConfig } from "./config.ts";
import { ArmManagedDiskApi } from "./managed-disk-api.ts";
import { checkVolumeSnapshotter } from "./managed-disk-check.ts";
import { ManagedDiskCopier } from "./managed-disk-copier.ts";
import type { CopyDestination } from "./managed-disk-copier.ts";
import { parseEncryptionSetId } from "./managed-disk-ids.ts";
import type { Place } from "./managed-disk-ids.ts";
import { ManagedDiskLifecycle } from "./managed-disk-lifecycle.ts";
import { RegionDiskTypes } from "./managed-disk-types.ts";
import { ManagedDiskVolumeSnapshotter } from "./managed-disk-volume-snapshotter.ts";
import type { ManagedDiskVolumeSnapshotterOptions } from "./managed-disk-volume-snapshotter.ts";
import { regionName } from "./region-name.ts";

/** Opens a VolumeSnapshotLocation. Only what a file must yield is read; Azure is asked for nothing. */
export async function openVolumeSnapshotter(
  config: VolumeSnapshotterConfig,
  context: OpenContext,
): Promise<OpenedVolumeSnapshotter> {
  const connection = await openConnection({ ...config, insecureSkipVerify: false }, context);
  const places = placesOf(connection, context.env);
  const credential = await connection.openTokenCredential();
  const api = new ArmManagedDiskApi(new ArmSession(credential, connection.armOptions));
  const waiting = {
    apiTimeoutMs: config.apiTimeout,
    isWaiting: config.wait === "completed",
    waitTimeoutMs: config.waitTimeout,
    clock: systemClock,
    random: Math.random,
  };
  const destinations = copyDestinations(config, places.snapshots);
  const region = regionOf(config);
  const copier = new ManagedDiskCopier({
    api,
    lifecycle: new ManagedDiskLifecycle({ api, ...waiting }),
    ...places,
    region,
    destinations,
    wait: { timeoutMs: config.apiTimeout, clock: systemClock, random: Math.random },
  });
  const { zoneMap, defaultZone, diskEncryptionSet } = config;
  const snapshotter = new ManagedDiskVolumeSnapshotter({
    api,
    ...places,
    ...waiting,
    incremental: config.incremental,
    tags: config.tags ?? {},
    region,
    localCopies: async (snapshotId, call) => await copier.localCopies(snapshotId, call),
    restore: {
      region,
      zoneMap,
      defaultZone,
      diskEncryptionSet,
      types: new RegionDiskTypes(api, places.disks.subscription),
    },
  });
  const opened = Object.assign(snapshotter, {
    check: (call: Call) => checkVolumeSnapshotter({ config, api, ...places, destinations }, call),
    close: async () => connection.close(),
  });
  // Copies begun beside a backup would meet Azure's order: what was left out before could never be copied.
  // A look lists all snapshots of a resource group.
  return withSnapshotCopies(opened, copier, { ...waiting, copiesUnfinished: false, lookTimeoutMs: 300_000 });
}

/** The regions of `copyToRegions`; refuses what Azure could never copy there. */
function copyDestinations(config: VolumeSnapshotterConfig, own: Place): readonly CopyDestination[] {
  const { copyToRegions, incremental } = config;
  const refuse = (fault: string): never => {
    throw new PluginError(`invalid configuration: copyToRegions: ${fault}`, { kind: "invalid-config" });
  };
  if (copyToRegions.length > 0 && incremental !== true)
    refuse('Azure copies incremental snapshots only; set the location\'s key incremental to "true"');
  return copyToRegions.map(({ region: target, options }) => {
    if (target === regionOf(config)) refuse(`${target} is the location's own region`);
    const { resourceGroup = own.resourceGroup, subscriptionId = own.subscription, diskEncryptionSet } = options;
    if (diskEncryptionSet !== undefined && parseEncryptionSetId(diskEncryptionSet) === undefined)
      refuse(`${target}: diskEncryptionSet is not the ARM id of a disk encryption set`);
    return { region: target, place: { subscription: subscriptionId, resourceGroup }, encryptionSet: diskEncryptionSet };
  });
}

function placesOf(
  { file, resourceGroup, subscriptionId }: Connection,
  env: OpenContext["env"],
): Pick<ManagedDiskVolumeSnapshotterOptions, "disks" | "snapshots"> {
  const line = (name: string): string => {
    const value = file.line(name) ?? env[name];
    if (value) return value;
    throw new PluginError(
      `${file.description} has no ${name}: it tells where the cluster's disks are; add the line to the location's credentials`,
      { kind: "invalid-config" },
    );
  };
  const disks = { subscription: line("AZURE_SUBSCRIPTION_ID"), resourceGroup: line("AZURE_RESOURCE_GROUP") };
  return {
    disks,
    snapshots: {
      subscription: subscriptionId ?? disks.subscription,
      resourceGroup: resourceGroup ?? disks.resourceGroup,
    },
  };
}

function regionOf({ region }: VolumeSnapshotterConfig): string | undefined {
  return region === undefined ? undefined : regionName(region);
}
