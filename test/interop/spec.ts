/** A key pair. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What a server does as the real service does; see internal/checks/spec.go for the meaning of each. */
type Capability =
  | "authenticates"
  | "data-files"
  | "tenants"
  | "lists-uploads"
  | "tags-uploads"
  | "keeps-part-checksums"
  | "resumes-uploads"
  | "kms-keys"
  | "tells-kept-hashes"
  | "loses-regions";

/** Where a server keeps copies in another region, with the capability loses-regions. */
interface CopyPlace {
  /** That of the bucket to check in, and that of the bucket of copies. */
  readonly regions: readonly [string, string];
  readonly bucket: string;
  /** Where the server takes the commands of test/emulators/region-commands.ts. */
  readonly control: string;
}

/** A plugin as the server finds it: a folder with one executable. */
export interface PluginFolder {
  readonly name: string;
  readonly dir: string;
  readonly executable: string;
  readonly knownFaults: boolean;
}

/** An S3 server to check against. */
export interface S3Target {
  readonly name: string;
  readonly endpoint: string;
  readonly region: string;
  readonly keys: Keys;
  readonly bucket: string;
  readonly capabilities: readonly Capability[];
  readonly dataDir?: string;
  readonly dataLayout?: "key" | "sha256";
  readonly tenants?: readonly { readonly keys: Keys; readonly bucket: string }[];
  readonly copies?: CopyPlace;
}

/** An EC2 server to check against. */
export interface Ec2Target {
  readonly name: string;
  readonly endpoint: string;
  readonly keys: Keys;
  readonly regions: readonly [string, string];
  readonly capabilities: readonly Capability[];
  /** With the capability loses-regions, as in a {@link CopyPlace}. */
  readonly control?: string;
}

/** A storage account with one of its keys. */
export interface StorageAccountKeys {
  readonly name: string;
  /** Base64. */
  readonly key: string;
}

/** An Azure Blob server to check against; the account is the first part of a path. */
export interface BlobTarget {
  readonly name: string;
  /** Over HTTPS. */
  readonly endpoint: string;
  /** The same accounts over plain HTTP; it need not be the same data. */
  readonly plainEndpoint: string;
  readonly main: StorageAccountKeys;
  readonly other: StorageAccountKeys;
  /** An account that keeps versions, where the server can. */
  readonly versioned: StorageAccountKeys;
  /** The authority of the server's certificate. */
  readonly caFile: string;
  readonly capabilities: readonly Capability[];
  /** Where the server keeps its accounts as folders, with the capability data-files. */
  readonly dataDir?: string;
  /** In a container of the other account. */
  readonly copies?: CopyPlace;
}

/** Azure Resource Manager to check against. */
export interface ArmTarget {
  readonly name: string;
  readonly endpoint: string;
  readonly authority: string;
  readonly caFile: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly otherResourceGroup: string;
  readonly location: string;
  /** A second region, which each of the groups may have disks and snapshots of. */
  readonly otherLocation: string;
  /** As in a {@link CopyPlace}. */
  readonly control: string;
}

/** A Cloud Storage server to check against. */
export interface GcsTarget {
  readonly name: string;
  /** Its origin, over plain HTTP. */
  readonly endpoint: string;
  readonly project: string;
  readonly bucket: string;
  /** The key file of a service account. */
  readonly credentials: string;
  /** One whose account is gone, where the server can tell. */
  readonly refused?: string;
  readonly capabilities: readonly Capability[];
  /** The name of a key of Cloud KMS, with the capability kms-keys. */
  readonly kmsKey?: string;
  /** Whether it knows requests only by its own host. */
  readonly routesByHost?: boolean;
  readonly dataDir?: string;
  readonly tenants?: readonly { readonly credentials: string; readonly bucket: string }[];
  readonly copies?: CopyPlace;
}

/** A Compute Engine server to check against, which serves in the name of Google's own. */
export interface GceTarget {
  readonly name: string;
  readonly endpoint: string;
  /** A CONNECT proxy behind which Google's name leads to it. */
  readonly proxy: string;
  readonly caFile: string;
  /** The key file of a service account of the project, which may use the other one too. */
  readonly credentials: string;
  /** One whose account is gone. */
  readonly refused: string;
  readonly project: string;
  readonly otherProject: string;
  readonly region: string;
  readonly zones: readonly [string, string];
  /** Where copies of snapshots are stored. */
  readonly otherRegion: string;
  /** As in a {@link CopyPlace}. */
  readonly control: string;
}

/** A restic repository to check on. */
export interface ResticTarget {
  readonly name: string;
  /** As the server hands it to Init. */
  readonly config: Readonly<Record<string, string>>;
  /** What changes in it for a location that has another password. */
  readonly wrongPassword: Readonly<Record<string, string>>;
}

/** What `velero-client check` is told. */
export interface CheckSpec {
  /** The implementation name of the plugins. */
  readonly provider: string;
  readonly plugin: PluginFolder;
  readonly other?: PluginFolder;
  readonly s3: readonly S3Target[];
  readonly ec2: readonly Ec2Target[];
  readonly blob: readonly BlobTarget[];
  readonly arm: readonly ArmTarget[];
  readonly gcs: readonly GcsTarget[];
  readonly gce: readonly GceTarget[];
  readonly restic: readonly ResticTarget[];
  readonly workDir: string;
  readonly filter: string;
}
