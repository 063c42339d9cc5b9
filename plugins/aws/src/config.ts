import {
  bool,
  copyKeys,
  copyTargets,
  custom,
  duration,
  oneOf,
  parseMemoryLimit,
  parseSecretReference,
  text,
  url,
} from "@flotilla/sdk/plugin";
import type { ConfigSchema, ConfigValues, CopyTarget } from "@flotilla/sdk/plugin";
import {
  parseAccountId,
  parseBucket,
  parseChecksumAlgorithm,
  parseCompletionMinutes,
  parseCopyCutoff,
  parseTagging,
} from "./config-values.ts";

const identityKeys = {
  credentialsFile: text("File with credentials and profiles; the server sets it where the location names a Secret.", {
    origin: "server",
  }),
  profile: text("Profile of the credentials file.", { defaultText: "default" }),
  enableSharedConfig: text("Switched the shared config file on.", { ignored: "the shared config file is always read" }),
};

/** The keys of a copyTo target's query. What a target does not say is as for the location, the region and keys apart. */
const copyTargetConfig = {
  keys: {
    region: text("Region of the copy's bucket.", { defaultText: "found out from S3; with s3Url the location's" }),
    s3Url: url("Endpoint of the copy's store.", { defaultText: "the location's" }),
    publicUrl: url("Endpoint written into signed URLs of the copy.", { defaultText: "the endpoint itself" }),
    s3ForcePathStyle: bool("Put the bucket into the path.", { defaultText: "the location's" }),
    insecureSkipTLSVerify: bool("Accept any TLS certificate.", { defaultText: "the location's" }),
    credentialsFile: text("File with the identity that reads the location's bucket and writes the copy's.", {
      defaultText: "the location's",
    }),
    profile: text("Profile of that file.", { defaultText: "the location's" }),
    serverSideEncryption: text("Server-side encryption of copies.", { defaultText: "the location's" }),
    kmsKeyId: text("KMS key of copies, in the copy's region.", { defaultText: "the bucket's own encryption" }),
    customerKeyEncryptionFile: text("File with the SSE-C key of copies.", { defaultText: "the location's" }),
    customerKeyEncryptionSecret: custom("Secret with the SSE-C key of copies.", "secret/key", parseSecretReference, {
      defaultText: "the location's",
    }),
    tagging: custom("Tags of copies.", "Key=Value&Key2=Value2", parseTagging, { defaultText: "the location's" }),
    expectedBucketOwner: custom(
      "Account that must own the copy's bucket; requests to another's are refused.",
      "account id of 12 digits",
      parseAccountId,
    ),
    expectedSourceBucketOwner: custom(
      "Account that must own the location's bucket for a copy to be made.",
      "account id of 12 digits",
      parseAccountId,
    ),
    copyCutoff: custom("Larger objects are copied in parts, several at a time.", "bytes such as 1Gi", parseCopyCutoff, {
      fallback: 5 * 1024 ** 3,
      defaultText: "5Gi, the most that S3 copies in one request",
    }),
  },
  exclusive: [["kmsKeyId", "customerKeyEncryptionFile", "customerKeyEncryptionSecret"]],
} as const satisfies ConfigSchema;

/** A parsed copyTo target. */
export type S3CopyTarget = CopyTarget<ConfigValues<typeof copyTargetConfig>>;

/** Every key of a BackupStorageLocation. */
export const objectStoreConfig = {
  keys: {
    bucket: custom("Bucket, from spec.objectStorage.bucket.", "text", parseBucket, {
      origin: "server",
      required: true,
    }),
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
    copyTo: copyTargets("Buckets that every object is copied to; see the guide on another region.", {
      scheme: "s3",
      query: copyTargetConfig,
      placeKeys: ["s3Url"],
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
