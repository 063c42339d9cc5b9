import type { FaultMatch, Faults } from "@flotilla/test/emulators";

/**
 * A bucket for further locations: the server refuses a location without a prefix whose top level has other folders.
 * The clouds whose stories write to such locations have it.
 */
export const furtherBucket = "velero-further";

/** A volume that the cluster uses. */
export interface ClusterVolume {
  /** Of the PersistentVolume, and of its claim. */
  readonly name: string;
  /** As {@link Cloud.volumeOf} reads it. */
  readonly id: string;
  /** What of a PersistentVolume's spec and labels says which volume it is, and where. */
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly sizeGiB: number;
}

/** A PersistentVolume as the API server answers it. */
export interface PersistentVolume {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: { readonly phase: string };
}

/** The keys and credentials of both kinds of location. */
interface LocationKeys {
  /** What is in the Secret. */
  readonly credentials: string;
  readonly config: Readonly<Record<string, string>>;
  readonly volumeConfig: Readonly<Record<string, string>>;
  /** PEM. */
  readonly caCert?: string;
}

/** The official plugin of a cloud, and what leads it to the stand-ins. */
export interface OfficialPlugin {
  readonly plugin: { readonly path: string; install(): Promise<void> };
  /** For both plugins, which find the stand-ins by it where the official one has no key for that. */
  readonly env: Readonly<Record<string, string>>;
  /** More files of the server's root that the environment names. */
  readonly files?: Readonly<Record<string, string>>;
  /** Keys of the VolumeSnapshotLocation that it does not know. */
  readonly withoutKeys: readonly string[];
}

/** A cloud's stand-ins, as an administrator of that cloud sees them: all that is asked here goes past the plugins. */
export interface Cloud {
  /** As in `--provider`. */
  readonly provider: "aws" | "azure" | "gcp" | "restic";
  /** What its plugin registers; velero.io/ and the provider unless told. */
  readonly implementation?: string;
  /** Folders and files of this machine that are mounted into the server's root. */
  readonly mounts?: Readonly<Record<string, string>>;
  readonly bucket: string;
  readonly keys: LocationKeys;
  /** Credentials in the right form that the cloud refuses. */
  readonly refusedCredentials: string;
  /** What the server says of a location with those: the cloud's answer, and the words of a remedy. */
  readonly refusal: readonly RegExp[];
  /** Where its official plugin can be had. */
  readonly official?: OfficialPlugin;
  /** One in the form of the CSI driver, and one in the form from before. */
  readonly volumes: readonly ClusterVolume[];
  /** Those of the store. */
  readonly faults: Faults;
  /** What the plugin says of snapshots that may not be made: the permission. */
  readonly snapshotPermission: string;
  /** The request that writes the contents of a backup. */
  contentsPut(backup: string): FaultMatch;
  /** The volume that a PersistentVolume names. */
  volumeOf(volume: PersistentVolume): string;
  hasVolume(id: string): Promise<boolean>;
  removeVolume(id: string): Promise<void>;
  /** The snapshot that a volume was made from; empty where it was made from none. */
  sourceOf(id: string): Promise<string>;
  /** All snapshots that there are, as a backup names them. */
  snapshots(): Promise<readonly string[]>;
  /** Forbids the location's identity to make snapshots, until what comes back is called. */
  refuseSnapshots(): () => void;
  /** The file below the store that holds an object's bytes. */
  objectFile(key: string): string;
  /** All objects of the bucket, in order. */
  objects(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A cloud with a second region, in which copies are kept. */
export interface TwoRegions extends Cloud {
  /** The keys beside the usual ones with which everything is kept in the other region too. */
  readonly copiedKeys: Pick<LocationKeys, "config" | "volumeConfig">;
  /** What a cluster in the other region sees, in the bucket of the copies. */
  readonly elsewhere: Cloud;
  /** From here on nothing answers in the cluster's own region. */
  loseRegion(): void;
}
