import { isJsonObject, PluginError } from "../plugin/index.ts";
import type {
  Finding,
  PersistentVolume,
  SelfCheck,
  SnapshotDescription,
  SnapshotInspector,
  SnapshotRequest,
  VolumeFromSnapshot,
  VolumeInfo,
  VolumeRef,
  VolumeSnapshotter,
} from "../plugin/index.ts";

interface Volume extends VolumeInfo {
  readonly az: string;
}

interface Snapshot {
  readonly volumeId: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly startedAt: Date;
}

const driver = "memory.flotilla.io";

/**
 * A volume snapshotter in memory that keeps the whole contract. Ids begin with its region, as in clouds where an id is
 * known in one region only. PersistentVolumes are its own when their CSI driver is `memory.flotilla.io`.
 */
export class MemoryVolumeSnapshotter implements VolumeSnapshotter, SnapshotInspector, SelfCheck {
  readonly #region: string;
  readonly #volumes = new Map<string, Volume>();
  readonly #snapshots = new Map<string, Snapshot>();
  #made = 0;

  /** `volumes`: how many exist at first, named `<region>-vol-1` and so on. */
  constructor(region: string, volumes: number) {
    this.#region = region;
    for (let number = 1; number <= volumes; number += 1)
      this.#volumes.set(`${region}-vol-${number}`, { volumeType: "fast", iops: 100n, az: `${region}-a` });
  }

  async createVolumeFromSnapshot({ snapshotId, volumeType, volumeAz, iops }: VolumeFromSnapshot): Promise<string> {
    this.#snapshot("create volume from", snapshotId);
    this.#made += 1;
    const volumeId = `${this.#region}-restored-${this.#made}`;
    this.#volumes.set(volumeId, { volumeType, iops, az: volumeAz });
    return await Promise.resolve(volumeId);
  }

  async getVolumeInfo({ volumeId }: VolumeRef): Promise<VolumeInfo> {
    const { volumeType, iops } = this.#volume("describe", volumeId);
    return await Promise.resolve({ volumeType, iops });
  }

  async createSnapshot({ volumeId, tags }: SnapshotRequest): Promise<string> {
    this.#volume("snapshot", volumeId);
    this.#made += 1;
    const snapshotId = `${this.#region}-snap-${this.#made}`;
    this.#snapshots.set(snapshotId, { volumeId, tags, startedAt: new Date() });
    return await Promise.resolve(snapshotId);
  }

  async deleteSnapshot(snapshotId: string): Promise<void> {
    this.#snapshot("delete", snapshotId);
    this.#snapshots.delete(snapshotId);
    await Promise.resolve();
  }

  async getVolumeId(volume: PersistentVolume): Promise<string> {
    const csi = csiOf(volume);
    const handle = csi?.["volumeHandle"];
    return await Promise.resolve(csi?.["driver"] === driver && typeof handle === "string" ? handle : "");
  }

  async setVolumeId(volume: PersistentVolume, volumeId: string): Promise<PersistentVolume> {
    const spec = volume["spec"];
    const csi = csiOf(volume);
    if (!isJsonObject(spec) || csi === undefined)
      throw new PluginError("set volume id: the PersistentVolume has no spec.csi", { kind: "invalid-argument" });
    return await Promise.resolve({ ...volume, spec: { ...spec, csi: { ...csi, volumeHandle: volumeId } } });
  }

  /** Those that were made and not deleted. */
  get snapshotIds(): readonly string[] {
    return [...this.#snapshots.keys()];
  }

  async describeSnapshot(snapshotId: string): Promise<SnapshotDescription> {
    const { volumeId, tags, startedAt } = this.#snapshot("describe", snapshotId);
    return await Promise.resolve({
      snapshotId,
      volumeId,
      state: "completed",
      progressPercent: 100,
      volumeSizeBytes: 1n << 30n,
      encrypted: false,
      startedAt,
      tags,
    });
  }

  async *check(): AsyncIterable<Finding> {
    yield await Promise.resolve<Finding>({
      severity: "ok",
      subject: "memory",
      detail: `volumes of region ${this.#region} are kept in memory`,
      remedy: "",
    });
  }

  #volume(verb: string, volumeId: string): Volume {
    const volume = this.#volumes.get(volumeId);
    if (volume !== undefined) return volume;
    throw new PluginError(`${verb} volume ${volumeId} in region ${this.#region}: not found`, { kind: "not-found" });
  }

  #snapshot(verb: string, snapshotId: string): Snapshot {
    const snapshot = this.#snapshots.get(snapshotId);
    if (snapshot !== undefined) return snapshot;
    throw new PluginError(`${verb} snapshot ${snapshotId} in region ${this.#region}: not found`, { kind: "not-found" });
  }
}

function csiOf(volume: PersistentVolume): PersistentVolume | undefined {
  const spec = volume["spec"];
  const csi = isJsonObject(spec) ? spec["csi"] : undefined;
  return isJsonObject(csi) ? csi : undefined;
}
