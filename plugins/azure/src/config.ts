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
import { accessTiers, parseBlockSize, parseHttpsUrl, parseIndexTags, parseResourceTags } from "./config-values.ts";

const identityKeys = {
  credentialsFile: text("File with AZURE_… lines; the server sets it where the location names a Secret.", {
    origin: "server",
  }),
  activeDirectoryAuthorityURI: custom("Entra authority that issues the tokens.", "https URL", parseHttpsUrl, {
    defaultText: "that of AZURE_CLOUD_NAME",
  }),
  endpoint: custom("Endpoint of Azure Resource Manager.", "https URL", parseHttpsUrl, {
    defaultText: "that of AZURE_CLOUD_NAME",
    origin: "ours",
  }),
};

/** Every key of a BackupStorageLocation. */
export const objectStoreConfig = {
  keys: {
    bucket: text("Bucket (container), from spec.objectStorage.bucket.", { origin: "server", required: true }),
    prefix: text("Prefix of all keys, from spec.objectStorage.prefix.", { origin: "server", fallback: "" }),
    caCert: text("PEM certificates trusted besides the system's, from spec.objectStorage.caCert or caCertRef.", {
      origin: "server",
    }),
    ...identityKeys,
    storageAccount: text("Storage account.", { defaultText: "the one in storageAccountURI" }),
    storageAccountURI: url("Blob endpoint of the storage account, used as it is.", {
      defaultText: "asked of Azure Resource Manager, else https://ACCOUNT.blob.SUFFIX",
    }),
    resourceGroup: text("Resource group of the storage account.", { defaultText: "AZURE_RESOURCE_GROUP" }),
    subscriptionId: text("Subscription of the storage account.", { defaultText: "AZURE_SUBSCRIPTION_ID" }),
    storageAccountKeyEnvVar: text("Name of the line of the credentials file that holds the account's access key."),
    useAAD: bool("Use Entra tokens for blobs; otherwise the account's access key is asked of Resource Manager.", {
      fallback: false,
    }),
    blockSizeInBytes: custom(
      "Size of the first blocks of an upload; later ones grow with the object.",
      "bytes, at most 104857600",
      parseBlockSize,
      { defaultText: "8388608" },
    ),
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
    encryptionScope: text("Encryption scope of new objects.", {
      defaultText: "the container's own",
      origin: "ours",
    }),
    customerKeyEncryptionFile: text("File whose first 32 bytes are the customer-provided encryption key.", {
      origin: "ours",
    }),
    customerKeyEncryptionSecret: custom(
      "Secret in the server's namespace that holds the 32-byte customer-provided encryption key.",
      "secret/key",
      parseSecretReference,
      { origin: "ours" },
    ),
    accessTier: oneOf("Access tier of new objects.", accessTiers, {
      defaultText: "the account's own",
      origin: "ours",
    }),
    copyTo,
    tagging: custom("Index tags of new objects, at most 10.", "Key=Value&Key2=Value2", parseIndexTags, {
      origin: "ours",
    }),
  },
  exclusive: [["encryptionScope", "customerKeyEncryptionFile", "customerKeyEncryptionSecret"]],
} as const satisfies ConfigSchema;

/** Every key of a VolumeSnapshotLocation. */
export const volumeSnapshotterConfig = {
  keys: {
    ...identityKeys,
    resourceGroup: text("Resource group in which snapshots are made.", { defaultText: "AZURE_RESOURCE_GROUP" }),
    subscriptionId: text("Subscription in which snapshots are made.", { defaultText: "AZURE_SUBSCRIPTION_ID" }),
    apiTimeout: duration(
      "How long a snapshot or disk may take to be made or deleted; one not made by then is deleted.",
      {
        fallback: 120_000,
        defaultText: "2m",
      },
    ),
    incremental: bool("Make incremental snapshots; of Ultra and Premium SSD v2 disks Azure makes no others.", {
      defaultText: "false",
    }),
    tags: custom(
      "Tags of new snapshots, stronger than those of the disk and the backup.",
      "key=value,key2=value2",
      parseResourceTags,
    ),
    ...copyKeys(["resourceGroup", "subscriptionId", "diskEncryptionSet"] as const),
    region: text("Region of the cluster: volumes are restored from the copies that are there.", {
      defaultText: "the snapshot's",
      origin: "ours",
    }),
    diskEncryptionSet: text(
      "ARM id of the disk encryption set of volumes that were encrypted with one of another region.",
      { origin: "ours" },
    ),
    caCert: text("PEM certificates trusted besides the system's.", { origin: "ours" }),
    wait: oneOf(
      "`completed` waits until all bytes of a snapshot or disk are copied, and reports a failed copy; otherwise Azure copies on by itself.",
      ["none", "completed"],
      { fallback: "none", origin: "ours" },
    ),
    waitTimeout: duration("How long to wait; a snapshot or disk that is not copied by then is deleted.", {
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
