import { PluginError, systemClock } from "@flotilla/sdk/plugin";
import type {
  Call,
  OpenContext,
  OpenedVolumeSnapshotter,
  PersistentVolume,
  SnapshotDescription,
  SnapshotRequest,
  VolumeFromSnapshot,
  VolumeInfo,
  VolumeRef,
} from "@flotilla/sdk/plugin";
import type { Tags } from "@flotilla/sdk/volumes";
import { ArmSession } from "./arm-session.ts";
import { openConnection } from "./client.ts";
import type { Connection } from "./client.ts";
import type { VolumeSnapshotterConfig } from "./config.ts";
import { ArmManagedDiskApi } from "./managed-disk-api.ts";
import { checkVolumeSnapshotter } from "./managed-disk-check.ts";
import { EncryptionSetWatch } from "./managed-disk-encryption.ts";
import {
  isSameName,
  isSamePlace,
  newDiskName,
  newSnapshotName,
  parseComputeId,
  printComputeId,
  printVolumeRef,
  readSnapshotId,
  readVolumeRef,
} from "./managed-disk-ids.ts";
import type { ComputeId, Place } from "./managed-disk-ids.ts";
import { ManagedDiskLifecycle } from "./managed-disk-lifecycle.ts";
import type { LifecycleOptions } from "./managed-disk-lifecycle.ts";
import { isProvisioned, marksOf } from "./managed-disk-marks.ts";
import { isDiskVolume, readVolumeId, writeVolumeId } from "./managed-disk-persistent-volume.ts";
import { diskOf, snapshotOf } from "./managed-disk-requests.ts";
import { readTags, snapshotTags } from "./managed-disk-tags.ts";

/** Opens a VolumeSnapshotLocation. Only what a file must yield is read; Azure is asked for nothing. */
export async function openVolumeSnapshotter(
  config: VolumeSnapshotterConfig,
  context: OpenContext,
): Promise<OpenedVolumeSnapshotter> {
  const connection = await openConnection({ ...config, insecureSkipVerify: false }, context);
  const places = placesOf(connection, context.env);
  const credential = await connection.openTokenCredential();
  const api = new ArmManagedDiskApi(new ArmSession(credential, connection.armOptions));
  const snapshotter = new ManagedDiskVolumeSnapshotter({
    api,
    ...places,
    incremental: config.incremental,
    tags: config.tags ?? {},
    apiTimeoutMs: config.apiTimeout,
    isWaiting: config.wait === "completed",
    waitTimeoutMs: config.waitTimeout,
    clock: systemClock,
    random: Math.random,
  });
  return Object.assign(snapshotter, {
    check: (call: Call) => checkVolumeSnapshotter({ config, api, ...places }, call),
    close: async () => connection.close(),
  });
}

/** What a snapshotter works with. */
export interface ManagedDiskVolumeSnapshotterOptions extends LifecycleOptions {
  /** Where disks are that have a bare name, and where disks are restored. */
  readonly disks: Place;
  /** Where snapshots are made. */
  readonly snapshots: Place;
  /** Undefined leaves it to Azure, as the official plugin does. */
  readonly incremental: boolean | undefined;
  /** Of the location, for snapshots. */
  readonly tags: Tags;
}

/** Snapshots of managed disks, made in one resource group. */
export class ManagedDiskVolumeSnapshotter implements OpenedVolumeSnapshotter {
  readonly #options: ManagedDiskVolumeSnapshotterOptions;
  readonly #lifecycle: ManagedDiskLifecycle;
  readonly #encryptionSets: EncryptionSetWatch;
  /** Ids that this location gave out: of a bare name only it knows where the disk is. */
  readonly #volumeIds = new Set<string>();

  constructor(options: ManagedDiskVolumeSnapshotterOptions) {
    this.#options = options;
    this.#lifecycle = new ManagedDiskLifecycle(options);
    this.#encryptionSets = new EncryptionSetWatch(options.api);
  }

  affinity(id: string): number {
    const parsed = parseComputeId(id);
    if (parsed === undefined) return this.#volumeIds.has(id) ? 2 : 0;
    const own = parsed.type === "disks" ? this.#options.disks : this.#options.snapshots;
    if (isSamePlace(parsed, own)) return 2;
    return isSameName(parsed.subscription, own.subscription) ? 1 : 0;
  }

  async getVolumeInfo({ volumeId }: VolumeRef, call: Call): Promise<VolumeInfo> {
    const disk = readVolumeRef(volumeId, this.#options.disks);
    const { sku, diskIopsReadWrite: iops } = await this.#options.api.getDisk(disk, call);
    const hasIops = isProvisioned(sku?.name) && iops !== undefined && iops > 0;
    return { volumeType: sku?.name ?? "", iops: hasIops ? BigInt(iops) : undefined };
  }

  async createSnapshot({ volumeId, tags: server }: SnapshotRequest, call: Call): Promise<string> {
    const { api, disks, snapshots, incremental, tags: location } = this.#options;
    const disk = readVolumeRef(volumeId, disks);
    const found = await api.getDisk(disk, call);
    const { tags, dropped } = snapshotTags({ location, server, marks: marksOf(found), disk: readTags(found.tags) });
    if (dropped.length > 0)
      call.log.info("some tags are not on the snapshot: Azure has no room for them or keeps their names to itself", {
        volumeId,
        tags: dropped.join(", "),
      });
    const snapshot: ComputeId = { ...snapshots, type: "snapshots", name: newSnapshotName(disk.name) };
    const content = snapshotOf(disk, found, tags, incremental);
    if (content.incremental === true && incremental !== true)
      call.log.debug("the snapshot is incremental: Azure makes no other of this disk", { volumeId });
    const looked = this.#encryptionSets.look(found.encryption?.diskEncryptionSetId, call);
    await this.#lifecycle.create(snapshot, async (call) => await api.createSnapshot(snapshot, content, call), call);
    await looked;
    return printComputeId(snapshot);
  }

  async createVolumeFromSnapshot(request: VolumeFromSnapshot, call: Call): Promise<string> {
    const { api, disks } = this.#options;
    const snapshot = readSnapshotId(request.snapshotId);
    const found = await this.#lifecycle.usable(snapshot, call);
    const disk: ComputeId = { ...disks, type: "disks", name: newDiskName() };
    const content = diskOf(snapshot, found, request);
    await this.#lifecycle.create(disk, async (call) => await api.createDisk(disk, content, call), call);
    this.#volumeIds.add(disk.name);
    return disk.name;
  }

  async deleteSnapshot(snapshotId: string, call: Call): Promise<void> {
    await this.#lifecycle.delete(readSnapshotId(snapshotId), call);
  }

  async getVolumeId(volume: PersistentVolume, call: Call): Promise<string> {
    const volumeId = readVolumeId(volume, this.#options.disks);
    if (volumeId !== "") this.#volumeIds.add(volumeId);
    else if (isDiskVolume(volume)) call.log.info("the PersistentVolume's handle is not the id of a managed disk");
    else call.log.debug("the PersistentVolume is not a managed disk");
    return volumeId;
  }

  async setVolumeId(volume: PersistentVolume, volumeId: string): Promise<PersistentVolume> {
    return writeVolumeId(volume, volumeId, this.#options.disks);
  }

  async describeSnapshot(snapshotId: string, call: Call): Promise<SnapshotDescription> {
    const id = readSnapshotId(snapshotId);
    const snapshot = await this.#options.api.getSnapshot(id, call);
    const { provisioningState: state = "", completionPercent, creationData, diskSizeBytes, diskSizeGB } = snapshot;
    const source = parseComputeId(creationData?.sourceResourceId ?? "");
    return {
      snapshotId: printComputeId(id),
      volumeId: source === undefined ? "" : printVolumeRef(source, this.#options.disks),
      state,
      progressPercent: completionPercent ?? (state === "Succeeded" ? 100 : 0),
      volumeSizeBytes: diskSizeBytes === undefined ? BigInt(diskSizeGB ?? 0) * 1024n ** 3n : BigInt(diskSizeBytes),
      encrypted: snapshot.encryption?.type !== undefined,
      startedAt: snapshot.timeCreated,
      tags: readTags(snapshot.tags),
    };
  }
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
