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
import { parseChecksumAlgorithm, parseCompletionMinutes, parseTagging } from "./config-values.ts";

const identityKeys = {
  credentialsFile: text("File with credentials and profiles; the server sets it where the location names a Secret.", {
    origin: "server",
  }),
  profile: text("Profile of the credentials file.", { defaultText: "default" }),
  enableSharedConfig: text("Switched the shared config file on.", { ignored: "the shared config file is always read" }),
};

/** Every key of a BackupStorageLocation. */
export const objectStoreConfig = {
  keys: {
    bucket: text("Bucket, from spec.objectStorage.bucket.", { origin: "server", required: true }),
    prefix: text("Prefix of all keys, from spec.objectStorage.prefix.", { origin: "server", fallback: "" }),
    caCert: text("PEM certificates trusted besides the system's, from spec.objectStorage.caCert or caCertRef.", {
      origin: "server",
    }),
    ...identityKeys,
    region: text("Region of the bucket.", { defaultText: "AWS_REGION, otherwise found out from S3" }),
    s3Url: url("Endpoint of an S3-compatible store.", { defaultText: "AWS" }),
    publicUrl: url("Endpoint written into signed URLs.", { defaultText: "the endpoint itself" }),
    s3ForcePathStyle: bool("Put the bucket into the path instead of the host name.", { fallback: false }),
    signatureVersion: text("Version of request signatures.", { ignored: "requests are always signed with version 4" }),
    insecureSkipTLSVerify: bool("Accept any TLS certificate.", { fallback: false }),
    serverSideEncryption: text("Server-side encryption: AES256, aws:kms or aws:kms:dsse.", {
      defaultText: "the bucket's own",
    }),
    kmsKeyId: text("KMS key (id, alias/name or ARN) for new objects; means aws:kms."),
    customerKeyEncryptionFile: text("File whose first 32 bytes are the SSE-C key."),
    customerKeyEncryptionSecret: custom(
      "Secret in the server's namespace that holds the 32-byte SSE-C key.",
      "secret/key",
      parseSecretReference,
    ),
    tagging: custom("Tags of new objects, at most 10.", "Key=Value&Key2=Value2", parseTagging),
    checksumAlgorithm: custom(
      'Checksum that S3 verifies and keeps; "" sends Content-MD5 only, for stores without checksums.',
      'one of CRC32, CRC32C, CRC64NVME, SHA1, SHA256, ""',
      parseChecksumAlgorithm,
      { fallback: "crc32", defaultText: "CRC32", keepsEmpty: true },
    ),
    resticRepoPrefix: text("Where the server's restic repositories live.", {
      ignored: "only the server's own file-system backup reads it",
    }),
    memoryLimit: custom(
      "Memory for parts in flight, of all puts and gets together.",
      "bytes such as 64Mi",
      parseMemoryLimit,
      {
        fallback: 64 * 1024 ** 2,
        defaultText: "64Mi",
        origin: "ours",
      },
    ),
  },
  exclusive: [["kmsKeyId", "customerKeyEncryptionFile", "customerKeyEncryptionSecret"]],
} as const satisfies ConfigSchema;

/** Every key of a VolumeSnapshotLocation. */
export const volumeSnapshotterConfig = {
  keys: {
    ...identityKeys,
    region: text("Region of the volumes and snapshots.", { required: true }),
    ebsKmsKeyId: text("KMS key of volumes made from snapshots; they are encrypted then.", {
      defaultText: "encrypted as the snapshot is",
    }),
    endpoint: url("Endpoint of the EC2 API.", { defaultText: "AWS", origin: "ours" }),
    caCert: text("PEM certificates trusted besides the system's.", { origin: "ours" }),
    wait: oneOf(
      "`completed` waits until a snapshot is completed and a volume is available, and reports a failed one.",
      ["none", "completed"],
      { fallback: "none", origin: "ours" },
    ),
    waitTimeout: duration("How long to wait; a snapshot or volume that is not ready by then is deleted.", {
      fallback: 4 * 3_600_000,
      defaultText: "4h",
      origin: "ours",
    }),
    ...copyKeys(["kmsKeyId", "endpoint"]),
    copyCompletionMinutes: custom(
      "Time within which a copy is to be complete, at the price of time-based copies.",
      "minutes in steps of 15, from 15 to 2880",
      parseCompletionMinutes,
      { defaultText: "when EBS is done with it", origin: "ours" },
    ),
  },
} as const satisfies ConfigSchema;

/** A parsed BackupStorageLocation. */
export type ObjectStoreConfig = ConfigValues<typeof objectStoreConfig>;

/** A parsed VolumeSnapshotLocation. */
export type VolumeSnapshotterConfig = ConfigValues<typeof volumeSnapshotterConfig>;
