// The fields of Compute Engine's REST resources (v1) that are read or written here; the service has many more.
// 64-bit numbers are texts there.

/** A key in Cloud KMS; what the service answers names a version of it. */
export interface GceEncryptionKey {
  readonly kmsKeyName?: string;
}

/** What disks and snapshots have in common. */
interface GceResource {
  readonly name?: string;
  readonly selfLink?: string;
  /** Kubernetes and the official plugin keep tags here, as JSON. */
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly status?: string;
  readonly creationTimestamp?: string;
  readonly enableConfidentialCompute?: boolean;
}

/** A zonal or regional disk. */
export interface GceDisk extends GceResource {
  /** The URL of its type. */
  readonly type?: string;
  readonly sizeGb?: string;
  readonly provisionedIops?: string;
  /** In MiB/s. */
  readonly provisionedThroughput?: string;
  readonly accessMode?: string;
  readonly diskEncryptionKey?: GceEncryptionKey;
  /** URLs, of a regional disk. */
  readonly replicaZones?: readonly string[];
  readonly sourceSnapshot?: string;
}

/** A snapshot. */
export interface GceSnapshot extends GceResource {
  /** A URL. */
  readonly sourceDisk?: string;
  readonly diskSizeGb?: string;
  readonly snapshotType?: string;
  readonly snapshotEncryptionKey?: GceEncryptionKey;
  readonly storageLocations?: readonly string[];
}

/** Something that the service goes on with after its answer. */
export interface GceOperation {
  readonly name?: string;
  /** PENDING, RUNNING or DONE. */
  readonly status?: string;
  /** In percent. */
  readonly progress?: number;
  readonly error?: { readonly errors?: readonly GceOperationError[] };
  readonly httpErrorStatusCode?: number;
}

/** Why an operation failed. */
export interface GceOperationError {
  readonly code?: string;
  readonly message?: string;
}

/** How much of something a project may have. */
export interface GceQuota {
  readonly metric?: string;
  readonly limit?: number;
  readonly usage?: number;
}

/** A project. */
export interface GceProject {
  readonly quotas?: readonly GceQuota[];
}
