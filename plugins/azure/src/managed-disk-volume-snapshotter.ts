import type { Snapshot } from "@azure/arm-compute";
import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type {
  Call,
  OpenedVolumeSnapshotter,
  PersistentVolume,
  SnapshotCopy,
  SnapshotDescription,
  SnapshotRequest,
  VolumeFromSnapshot,
  VolumeInfo,
  VolumeRef,
} from "@flotilla/sdk/plugin";
import type { Tags, VolumePlace } from "@flotilla/sdk/volumes";
import { nameInWords } from "./managed-disk-api.ts";
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
import {
  isDiskVolume,
  isOfOtherRegion,
  movedVolume,
  readVolumeId,
  writeVolumeId,
} from "./managed-disk-persistent-volume.ts";
import { diskOf, snapshotOf, volumeBytes } from "./managed-disk-requests.ts";
import { placeOf, restoredShape } from "./managed-disk-restore.ts";
import type { RestoreRules } from "./managed-disk-restore.ts";
import { readTags, snapshotTags } from "./managed-disk-tags.ts";

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
  /** The cluster's; undefined where the location does not say. */
  readonly region: string | undefined;
  /** The copies in that region of a snapshot of another one. */
  readonly localCopies: (snapshotId: string, call: Call) => Promise<readonly SnapshotCopy[]>;
  readonly restore: RestoreRules;
}

/** Snapshots of managed disks, made in one resource group. */
export class ManagedDiskVolumeSnapshotter implements OpenedVolumeSnapshotter {
  readonly #options: ManagedDiskVolumeSnapshotterOptions;
  readonly #lifecycle: ManagedDiskLifecycle;
  readonly #encryptionSets: EncryptionSetWatch;
  /** Ids that this location gave out: of a bare name only it knows where the disk is. */
  readonly #volumeIds = new Set<string>();
  /** Where disks are that were made here, by name; undefined for those that are where they were before. */
  readonly #places = new Map<string, VolumePlace | undefined>();

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
    const { api, disks, restore } = this.#options;
    const snapshot = await this.#resolve(request.snapshotId, call);
    const found = await this.#lifecycle.usable(snapshot, call);
    this.#requireHere(snapshot, found);
    const shape = await restoredShape(request, found, restore, call);
    const disk: ComputeId = { ...disks, type: "disks", name: newDiskName() };
    const content = diskOf(snapshot, found, shape, request.iops);
    await this.#lifecycle.create(disk, async (call) => await api.createDisk(disk, content, call), call);
    this.#volumeIds.add(disk.name);
    this.#places.set(disk.name, shape.moved);
    return disk.name;
  }

  async deleteSnapshot(snapshotId: string, call: Call): Promise<void> {
    const snapshot = readSnapshotId(snapshotId);
    if (await this.#isOfOtherRegion(snapshot, snapshotId, call)) {
      call.log.info("the snapshot is of another region, whose backups may need it: only its copies here are deleted", {
        snapshotId,
      });
      return;
    }
    await this.#lifecycle.delete(snapshot, call);
  }

  /** After the copies here are deleted, to which nothing else would lead. An id names a snapshot in whatever region. */
  async #isOfOtherRegion(snapshot: ComputeId, snapshotId: string, call: Call): Promise<boolean> {
    const { region, localCopies, api } = this.#options;
    if (region === undefined) return false;
    const copies = await localCopies(snapshotId, call);
    for (const { copyId } of copies)
      try {
        await this.#lifecycle.delete(readSnapshotId(copyId), call);
      } catch (error) {
        if (!isKind(error, "not-found")) throw error;
      }
    // Its region may be lost. Where an earlier try has deleted the copies, only the snapshot itself can tell.
    return copies.length > 0 || (await api.getSnapshot(snapshot, call)).location !== region;
  }

  async getVolumeId(volume: PersistentVolume, call: Call): Promise<string> {
    const volumeId = readVolumeId(volume, this.#options.disks);
    if (volumeId !== "") this.#volumeIds.add(volumeId);
    else if (isDiskVolume(volume)) call.log.info("the PersistentVolume's handle is not the id of a managed disk");
    else call.log.debug("the PersistentVolume is not a managed disk");
    return volumeId;
  }

  async setVolumeId(volume: PersistentVolume, volumeId: string, call: Call): Promise<PersistentVolume> {
    const { disks } = this.#options;
    const written = writeVolumeId(volume, volumeId, disks);
    const place = await this.#placeOf(readVolumeRef(volumeId, disks), volume, call);
    if (place === undefined) return written;
    call.log.info("the PersistentVolume says where its disk is now", {
      volumeId,
      ...place,
      zones: place.zones.join(" "),
    });
    return movedVolume(written, place);
  }

  async describeSnapshot(snapshotId: string, call: Call): Promise<SnapshotDescription> {
    const id = await this.#resolve(snapshotId, call);
    const snapshot = await this.#options.api.getSnapshot(id, call);
    const { provisioningState: state = "", completionPercent, creationData } = snapshot;
    const source = parseComputeId(creationData?.sourceResourceId ?? "");
    return {
      snapshotId: printComputeId(id),
      volumeId: source === undefined ? "" : printVolumeRef(source, this.#options.disks),
      state,
      progressPercent: completionPercent ?? (state === "Succeeded" ? 100 : 0),
      volumeSizeBytes: volumeBytes(snapshot),
      encrypted: snapshot.encryption?.type !== undefined,
      startedAt: snapshot.timeCreated,
      tags: readTags(snapshot.tags),
    };
  }

  /**
   * The snapshot to read: where the location says which region it is in, the copy there of a snapshot of another one,
   * which need not answer any more. Without a complete copy it is the snapshot itself.
   */
  async #resolve(snapshotId: string, call: Call): Promise<ComputeId> {
    const id = readSnapshotId(snapshotId);
    if (this.#options.region === undefined) return id;
    const copies = await this.#options.localCopies(snapshotId, call);
    const [newest] = copies
      .filter(({ state }) => state === "completed")
      .toSorted((a, b) => (b.startedAt?.getTime() ?? 0) - (a.startedAt?.getTime() ?? 0));
    const pending = copies.find(({ state }) => state === "pending");
    if (newest === undefined && pending !== undefined) throw notCopiedYet(snapshotId, pending);
    if (newest === undefined) return id;
    const { copyId, region, originRegion } = newest;
    call.log.info("the snapshot is of another region: its copy in this one is used", {
      snapshotId,
      copyId,
      region,
      originRegion,
    });
    return readSnapshotId(copyId);
  }

  /** A disk can only be made in the region of its snapshot, and only be used in that of the cluster. */
  #requireHere(snapshot: ComputeId, { location }: Snapshot): void {
    const { region } = this.#options;
    if (region === undefined || region === location) return;
    throw new PluginError(
      `${nameInWords(snapshot)} not found in region ${region}: it is of ${location}, and no complete copy of it is here`,
      { kind: "not-found" },
    );
  }

  /** Where a disk is, if the PersistentVolume says something else. */
  async #placeOf(disk: ComputeId, volume: PersistentVolume, call: Call): Promise<VolumePlace | undefined> {
    if (this.#places.has(disk.name)) return this.#places.get(disk.name);
    const { region, api, restore } = this.#options;
    // Made by another process of this plugin; only such a location moves volumes.
    const mayBeMoved = region !== undefined || restore.defaultZone !== undefined || restore.zoneMap.size > 0;
    if (!mayBeMoved) return undefined;
    const { location, zones, sku } = await api.getDisk(disk, call);
    if (!isOfOtherRegion(volume, location)) return undefined;
    return await placeOf({ region: location, zone: zones?.[0], volumeType: sku?.name ?? "" }, restore.types, call);
  }
}

function notCopiedYet(snapshotId: string, copy: SnapshotCopy): PluginError {
  const { copyId, region, originRegion, progressPercent } = copy;
  return new PluginError(
    `the snapshot "${snapshotId}" is of region ${originRegion}, and its copy ${copyId} in ${region} is not complete ` +
      `(${Math.floor(progressPercent)} %); try again later`,
    { kind: "unavailable" },
  );
}
