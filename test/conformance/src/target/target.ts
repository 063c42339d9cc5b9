/** What a target may claim. What it does not claim is not tested there. */
export const capabilities = {
  authenticates: "refuses wrong and unknown credentials (`denied` is given)",
  "signed-urls": "serves objects to signed URLs and refuses them after their expiry",
  durable: "what one process of the plugin stored, another finds",
  network:
    "the store is reached over plain HTTP at an endpoint in the config (`endpointKey` is given), so that faults can be put before it",
  "volume-network":
    "the volumes' API is reached at an endpoint in the config or the environment (`endpointKey` or `endpointVariable` is given), over plain HTTP or with a certificate whose key is known (`endpointTls`)",
  "missing-bucket": "a bucket that does not exist can be named (`missingBucket` is given)",
  "second-location": "a second location of the same provider is given (`second`)",
  "unicode-keys": "keys may hold any Unicode character",
  "many-keys": "thousands of objects can be written in a reasonable time",
  "invalid-configs": "configs that Init must refuse are given (`invalid`)",
  volumes: "volumes that may be snapshotted are given",
  "zoneless-volumes": "the first volume is found without its zone, once the plugin was shown its PersistentVolume",
  "persistent-volumes": "forms of PersistentVolumes are given",
  "authenticates-volumes": "the volume API refuses wrong credentials (`denied` is given)",
  "second-volume-location": "a second VolumeSnapshotLocation of the same provider is given (`second`, `secondVolumes`)",
  "volume-restore": "volumes may be created; they stay behind, since the protocol cannot delete volumes",
  "unknown-volumes": "ids of a volume and a snapshot that do not exist are given",
} as const;

/** One thing that a target can do. */
export type Capability = keyof typeof capabilities;

/** The kinds of plugins that the suite knows. */
export type TargetKind = "ObjectStore" | "VolumeSnapshotter";

/** The keys of a location as the server hands them to Init. */
export type LocationConfig = Readonly<Record<string, string>>;

/** A BackupStorageLocation to test with. */
export interface ObjectStoreTarget {
  /** With `bucket`; `prefix` is added where it is absent, as the server does. */
  readonly config: LocationConfig;
  /** The key of the config whose URL is the store's endpoint. */
  readonly endpointKey?: string;
  /** The variable of the environment whose URL is the endpoint, where no key of the config is. */
  readonly endpointVariable?: string;
  /** Whether the store looks at the Host header and does not sign it, so that a proxy before it must name the store there. */
  readonly routesByHost?: boolean;
  /**
   * Changes of the config with which signed URLs are made and read, where the store serves them over TLS only. Where
   * there is a `caCert`, the tests trust it, too.
   */
  readonly signing?: LocationConfig;
  /** The name of a bucket that does not exist. */
  readonly missingBucket?: string;
  /** Changes of the config with which every request must be refused. */
  readonly denied?: LocationConfig;
  /** Changes of the config that must each make Init fail, by what is wrong with them. */
  readonly invalid?: Readonly<Record<string, LocationConfig>>;
  /** Changes of the config that make another location: another bucket, other credentials. */
  readonly second?: LocationConfig;
}

/** A volume that may be snapshotted. */
export interface VolumeTarget {
  readonly volumeId: string;
  readonly volumeAz: string;
  /** As GetVolumeInfo must answer it; not judged where absent. */
  readonly volumeType?: string;
}

/** A form in which a PersistentVolume names its volume. */
export interface PersistentVolumeForm {
  /** For example `CSI`, `in-tree`. */
  readonly form: string;
  /** The part of `spec` that names the volume. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Labels of the PersistentVolume that the form depends on. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What GetVolumeID must answer; "" for a form that belongs to another plugin. */
  readonly volumeId: string;
  /** `spec` after SetVolumeID with {@link rewrittenTo}; not judged where absent. */
  readonly rewritten?: Readonly<Record<string, unknown>>;
  readonly rewrittenTo?: string;
}

/** A certificate and its key, in PEM. */
export interface EndpointTls {
  readonly cert: string;
  readonly key: string;
}

/** A VolumeSnapshotLocation to test with. */
export interface VolumeSnapshotterTarget {
  readonly config: LocationConfig;
  /** The key of the config whose URL is the API's endpoint. */
  readonly endpointKey?: string;
  /** The variable of the environment whose URL is the endpoint, where no key of the config is. */
  readonly endpointVariable?: string;
  /** What an endpoint over TLS shows and clients trust, so that a proxy may stand in its place. */
  readonly endpointTls?: EndpointTls;
  readonly denied?: LocationConfig;
  readonly invalid?: Readonly<Record<string, LocationConfig>>;
  /** Another location of the same provider, in which {@link secondVolumes} live. */
  readonly second?: LocationConfig;
  readonly volumes?: readonly VolumeTarget[];
  readonly secondVolumes?: readonly VolumeTarget[];
  readonly missingVolumeId?: string;
  readonly missingSnapshotId?: string;
  readonly persistentVolumes?: readonly PersistentVolumeForm[];
}

/** What a plugin is judged on: a store that runs already, with everything that the tests need to know of it. */
export interface Target {
  readonly name: string;
  /** The implementation name, for example `velero.io/aws`. */
  readonly provider: string;
  /** The environment of the plugin's processes. */
  readonly env: Readonly<Record<string, string>>;
  readonly objectStore: ObjectStoreTarget | undefined;
  readonly volumeSnapshotter: VolumeSnapshotterTarget | undefined;
  readonly capabilities: ReadonlySet<Capability>;
  /** Ids of tests that cannot hold here, with the reason: the store's shortcoming, never the plugin's. */
  readonly cannot: Readonly<Record<string, string>>;
  /** How many times the usual time a test may take, and a process to end; 1 unless told. */
  readonly timeLimitFactor?: number;
}
