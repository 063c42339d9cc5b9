import { PluginError } from "@flotilla/sdk/plugin";
import type {
  PersistentVolume,
  SnapshotRequest,
  VolumeFromSnapshot,
  VolumeInfo,
  VolumeRef,
  VolumeSnapshotter,
} from "@flotilla/sdk/plugin";
import { csiVolumeOf, withCsiVolumeHandle } from "@flotilla/sdk/volumes";

const driver = "csi.memory.example.com";

/** The cloud: two regions, each with one volume. Every location of this process shares them. */
const regions = new Map(
  ["here", "there"].map((name) => [
    name,
    {
      volumes: new Map<string, VolumeInfo>([[`${name}-volume-1`, { volumeType: "fast", iops: 100n }]]),
      snapshots: new Set<string>(),
    },
  ]),
);
let made = 0;

/** Volumes in memory, in one region. */
export class MemoryVolumeSnapshotter implements VolumeSnapshotter {
  readonly #region: string;
  readonly #volumes: Map<string, VolumeInfo>;
  readonly #snapshots: Set<string>;

  constructor(region: string) {
    this.#region = region;
    this.#volumes = regions.get(region)?.volumes ?? new Map<string, VolumeInfo>();
    this.#snapshots = regions.get(region)?.snapshots ?? new Set<string>();
  }

  async createVolumeFromSnapshot({ snapshotId, volumeType, iops }: VolumeFromSnapshot): Promise<string> {
    if (!this.#snapshots.has(snapshotId)) throw this.#unknown("snapshot", snapshotId);
    const volumeId = this.#newId("volume");
    this.#volumes.set(volumeId, { volumeType, iops });
    return await Promise.resolve(volumeId);
  }

  async getVolumeInfo({ volumeId }: VolumeRef): Promise<VolumeInfo> {
    const info = this.#volumes.get(volumeId);
    if (info === undefined) throw this.#unknown("volume", volumeId);
    return await Promise.resolve(info);
  }

  async createSnapshot(volume: SnapshotRequest): Promise<string> {
    await this.getVolumeInfo(volume);
    const snapshotId = this.#newId("snapshot");
    this.#snapshots.add(snapshotId);
    return snapshotId;
  }

  async deleteSnapshot(snapshotId: string): Promise<void> {
    // "Not found" asks the other locations; when none knows it, `serve` answers the server that it is gone.
    if (!this.#snapshots.delete(snapshotId)) throw this.#unknown("snapshot", snapshotId);
    await Promise.resolve();
  }

  async getVolumeId(volume: PersistentVolume): Promise<string> {
    const csi = csiVolumeOf(volume);
    return await Promise.resolve(csi?.driver === driver ? csi.volumeHandle : "");
  }

  async setVolumeId(volume: PersistentVolume, volumeId: string): Promise<PersistentVolume> {
    return await Promise.resolve(withCsiVolumeHandle(volume, volumeId));
  }

  #newId(kind: string): string {
    made += 1;
    return `${this.#region}-${kind}-${process.pid}-${made}`;
  }

  #unknown(kind: string, id: string): PluginError {
    return new PluginError(`${kind} ${id} in region ${this.#region}: not found`, { kind: "not-found" });
  }
}
