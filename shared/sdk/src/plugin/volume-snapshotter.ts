import type { Call } from "./call.ts";
import type { PersistentVolume } from "./persistent-volume.ts";

/** What to make a volume from. */
export interface VolumeFromSnapshot {
  /** In the official plugin's form for this cloud. */
  readonly snapshotId: string;
  /** As getVolumeInfo once answered; may be empty. */
  readonly volumeType: string;
  /** The availability zone; may be empty. */
  readonly volumeAz: string;
  /** Undefined where none was recorded. */
  readonly iops: bigint | undefined;
}

/** Names a volume. */
export interface VolumeRef {
  readonly volumeId: string;
  /** The availability zone as the server derived it from the PersistentVolume; may be empty. */
  readonly volumeAz: string;
}

/** What the server records of a volume and hands back at restore. */
export interface VolumeInfo {
  readonly volumeType: string;
  /** Undefined where the volume has none of its own. */
  readonly iops: bigint | undefined;
}

/** What to snapshot. */
export interface SnapshotRequest extends VolumeRef {
  /** The backup's labels, `velero.io/backup` and `velero.io/pv`. */
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Snapshots of volumes: the seven calls of the server's VolumeSnapshotter service beside Init. Every failure is a
 * PluginError; ids read and written have the official plugin's form. Calls run concurrently.
 */
export interface VolumeSnapshotter {
  /** Makes a volume from a snapshot and answers the new volume's id. An unknown snapshot throws `not-found`. */
  createVolumeFromSnapshot(request: VolumeFromSnapshot, call: Call): Promise<string>;

  /** Type and provisioned IOPS. An unknown volume throws `not-found`. */
  getVolumeInfo(volume: VolumeRef, call: Call): Promise<VolumeInfo>;

  /** Starts a snapshot and answers its id. An unknown volume throws `not-found`; a failure leaves no snapshot behind. */
  createSnapshot(request: SnapshotRequest, call: Call): Promise<string>;

  /**
   * Deletes a snapshot. An unknown one throws `not-found`, so that other locations of the same name can be asked; when
   * none knows it, the plugin's side of the wire counts that as success, as the server expects.
   */
  deleteSnapshot(snapshotId: string, call: Call): Promise<void>;

  /** The id of the volume behind a PersistentVolume, or "" when it is not this plugin's. No request to the cloud. */
  getVolumeId(volume: PersistentVolume, call: Call): Promise<string>;

  /**
   * The whole PersistentVolume, pointing at another volume. What this plugin does not know is kept as it was. May look
   * the volume up where the PersistentVolume needs it (its zone).
   */
  setVolumeId(volume: PersistentVolume, volumeId: string, call: Call): Promise<PersistentVolume>;

  /**
   * How surely an id of a volume or snapshot is this location's, told without a request: with several locations of one
   * name, the one that answers the highest number is asked first, the newest of equals. Absent means 0 for every id.
   */
  affinity?(id: string): number;

  /** Frees connections. No call is under way and none follows. */
  close?(): Promise<void>;
}
