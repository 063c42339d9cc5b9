import {
  bool,
  copyKeys,
  custom,
  duration,
  oneOf,
  parseMemoryLimit,
  parseSecretReference,
  text,
  url,
} from "@flotilla/sdk/plugin";
import type { ConfigSchema, ConfigValues } from "@flotilla/sdk/plugin";
import { copyTo } from "./config-copies.ts";
import { parseSnapshotType, parseStoreEndpoint, parseUniverseDomain, storageClasses } from "./config-values.ts";

const credentialsFile = text("JSON credentials; the server sets it where the location names a Secret.", {
  origin: "server",
});

const universeDomain = {
  help: "Domain of the cloud's services, where it is not Google's public one.",
  form: "domain",
  defaultText: "that of the credentials, else googleapis.com",
};

/** Every key of a BackupStorageLocation. */
export const objectStoreConfig = {
  keys: {
    bucket: text("Bucket, from spec.objectStorage.bucket.", { origin: "server", required: true }),
    prefix: text("Prefix of all keys, from spec.objectStorage.prefix.", { origin: "server", fallback: "" }),
    caCert: text("PEM certificates trusted besides the system's, from spec.objectStorage.caCert or caCertRef.", {
      origin: "server",
    }),
    credentialsFile,
    kmsKeyName: text("Cloud KMS key of new objects: projects/P/locations/L/keyRings/R/cryptoKeys/K.", {
      defaultText: "the bucket's own",
    }),
    serviceAccount: text("Service account that signs URLs where the credentials hold no private key.", {
      defaultText: "the one of the credentials",
    }),
    storeEndpoint: custom(
      "Endpoint of Cloud Storage, also in signed URLs unless it is one of Private Service Connect.",
      "host or URL",
      parseStoreEndpoint,
      {
        defaultText: "https://storage.UNIVERSEDOMAIN",
      },
    ),
    universeDomain: custom(universeDomain.help, universeDomain.form, parseUniverseDomain, {
      defaultText: universeDomain.defaultText,
    }),
    resticRepoPrefix: text("Where the server's restic repositories live.", {
      ignored: "only the server's own file-system backup reads it",
      origin: "ours",
    }),
    insecureSkipTLSVerify: bool("Accept any TLS certificate.", { fallback: false, origin: "ours" }),
    memoryLimit: custom(
      "Memory for parts in flight, of all puts and gets together.",
      "bytes such as 64Mi",
      parseMemoryLimit,
      { fallback: 64 * 1024 ** 2, defaultText: "64Mi", origin: "ours" },
    ),
    customerKeyEncryptionFile: text("File whose first 32 bytes are the customer-supplied encryption key.", {
      origin: "ours",
    }),
    customerKeyEncryptionSecret: custom(
      "Secret in the server's namespace that holds the 32-byte customer-supplied encryption key.",
      "secret/key",
      parseSecretReference,
      { origin: "ours" },
    ),
    storageClass: oneOf("Storage class of new objects.", storageClasses, {
      defaultText: "the bucket's own",
      origin: "ours",
    }),
    copyTo,
  },
  exclusive: [["kmsKeyName", "customerKeyEncryptionFile", "customerKeyEncryptionSecret"]],
} as const satisfies ConfigSchema;

/** Every key of a VolumeSnapshotLocation. */
export const volumeSnapshotterConfig = {
  keys: {
    credentialsFile,
    snapshotLocation: text("Region or multi-region in which snapshots are stored.", {
      defaultText: "the multi-region nearest to the disk",
    }),
    snapshotType: custom("Type of new snapshots.", "STANDARD or ARCHIVE", parseSnapshotType, {
      fallback: "STANDARD",
      defaultText: "STANDARD",
    }),
    project: text("Project in which snapshots are made, read and deleted.", { defaultText: "volumeProject" }),
    volumeProject: text("Project of restored disks, and of those whose PersistentVolume names no project.", {
      defaultText: "that of the credentials",
    }),
    endpoint: url("Endpoint of the Compute Engine API.", {
      defaultText: "https://compute.UNIVERSEDOMAIN",
      origin: "ours",
    }),
    universeDomain: custom(universeDomain.help, universeDomain.form, parseUniverseDomain, {
      defaultText: universeDomain.defaultText,
      origin: "ours",
    }),
    ...copyKeys(["project", "kmsKeyName", "zone"] as const),
    caCert: text("PEM certificates trusted besides the system's.", { origin: "ours" }),
    kmsKeyName: text(
      "Cloud KMS key of new snapshots and of disks made from snapshots: projects/P/locations/L/keyRings/R/cryptoKeys/K.",
      { defaultText: "the disk's own, else Google's", origin: "ours" },
    ),
    wait: oneOf(
      "`completed` waits until a snapshot is uploaded and a disk is made, and reports a failed one.",
      ["none", "completed"],
      { fallback: "none", origin: "ours" },
    ),
    waitTimeout: duration("How long to wait; a snapshot or disk that is not ready by then is deleted.", {
      fallback: 4 * 3_600_000,
      defaultText: "4h",
      origin: "ours",
    }),
  },
} as const satisfies ConfigSchema;

/** A parsed BackupStorageLocation. */
export type ObjectStoreConfig = ConfigValues<typeof objectStoreConfig>;

/** A parsed VolumeSnapshotLocation. */
export type VolumeSnapshotterConfig = ConfigValues<typeof volumeSnapshotterConfig>;
