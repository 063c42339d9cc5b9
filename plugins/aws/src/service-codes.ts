import type { Meaning } from "@flotilla/sdk/network";

const denied = (text: string, remedy: string): Meaning => ({ kind: "denied", text, remedy });
const invalidConfig = (text: string, remedy: string): Meaning => ({ kind: "invalid-config", text, remedy });
const unavailable = (text: string): Meaning => ({ kind: "unavailable", text, remedy: "" });

const unknownKey = denied("the access key is unknown", "check the credentials of the location");
const wrongSecret = denied("the secret access key is wrong", "check the credentials of the location");
const expired = denied("the session token has expired", "renew the credentials");
const skewed = denied("the request's time is too far off", "set the clock of the node (NTP)");
const throttled = unavailable("throttled");
const failing = unavailable("the service failed");
const wrongRegion = invalidConfig("the bucket is in another region", "correct the location's key region");
const altered: Meaning = {
  kind: "corrupt",
  text: "the store received other bytes than were sent",
  remedy:
    "check what stands between the plugin and the store; with a store that lacks this checksum set checksumAlgorithm",
};
const kmsKey = "check kmsKeyId and the key's state and policy";

/** Codes that S3, EC2 and STS share. */
export const commonCodes: Readonly<Record<string, Meaning>> = {
  InvalidAccessKeyId: unknownKey,
  InvalidClientTokenId: unknownKey,
  UnrecognizedClientException: unknownKey,
  AuthFailure: denied("the credentials are refused", "check the credentials of the location"),
  InvalidToken: denied("the session token is refused", "renew the credentials"),
  SignatureDoesNotMatch: wrongSecret,
  IncompleteSignature: wrongSecret,
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  TokenRefreshRequired: expired,
  RequestExpired: skewed,
  RequestTimeTooSkewed: skewed,
  OptInRequired: denied("the account is not subscribed to this service or region", "enable the region for the account"),
  PendingVerification: denied("the account is being verified", "wait for AWS"),
  Blocked: denied("the account is blocked", "ask AWS support"),
  Throttling: throttled,
  ThrottlingException: throttled,
  RequestLimitExceeded: throttled,
  RequestThrottled: throttled,
  SlowDown: throttled,
  BandwidthLimitExceeded: throttled,
  InternalError: failing,
  InternalFailure: failing,
  ServiceUnavailable: failing,
  Unavailable: failing,
  RequestTimeout: unavailable("the service waited too long for the request's body"),
};

/** Codes of S3. */
export const s3Codes: Readonly<Record<string, Meaning>> = {
  NoSuchBucket: invalidConfig("the bucket is missing", "create the bucket, or correct its name in the location"),
  InvalidBucketName: invalidConfig("the bucket's name is not a valid one", "correct the bucket's name in the location"),
  InvalidObjectName: { kind: "invalid-argument", text: "the key is not a valid one", remedy: "" },
  KeyTooLongError: { kind: "invalid-argument", text: "the key is too long", remedy: "shorten the prefix or the name" },
  EntityTooLarge: { kind: "invalid-argument", text: "the object is larger than the store allows", remedy: "" },
  PermanentRedirect: wrongRegion,
  TemporaryRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  IncorrectEndpoint: wrongRegion,
  BadDigest: altered,
  InvalidDigest: altered,
  XAmzContentChecksumMismatch: altered,
  XAmzContentSHA256Mismatch: altered,
  IncompleteBody: unavailable("the connection ended within the request's body"),
  PreconditionFailed: { kind: "conflict", text: "the object changed meanwhile", remedy: "" },
  ConditionalRequestConflict: { kind: "conflict", text: "another request changed the object", remedy: "try again" },
  OperationAborted: { kind: "conflict", text: "another request is changing the bucket", remedy: "try again" },
  NoSuchUpload: {
    kind: "conflict",
    text: "the multipart upload is gone",
    remedy: "check for a lifecycle rule or another process that aborts uploads",
  },
  InvalidObjectState: {
    kind: "held",
    text: "the object is in an archive storage class",
    remedy: "restore it from the archive first, and keep lifecycle rules off the location's prefix",
  },
  ObjectAlreadyInActiveTierError: { kind: "conflict", text: "the object is being restored", remedy: "" },
  NotImplemented: { kind: "unsupported", text: "the store does not implement this request", remedy: "" },
  MethodNotAllowed: { kind: "unsupported", text: "the store does not allow this request", remedy: "check s3Url" },
  InvalidEncryptionAlgorithmError: invalidConfig("the encryption is unknown", "correct serverSideEncryption"),
  QuotaExceeded: unavailable("the store's quota is used up"),
  InsufficientStorage: unavailable("the store is full"),
  XMinioStorageFull: unavailable("the store is full"),
  XAdminUserNotFound: unknownKey,
  InvalidTag: invalidConfig("a tag is refused", "correct the location's key tagging"),
  "KMS.NotFoundException": invalidConfig("the KMS key is unknown", kmsKey),
  "KMS.DisabledException": invalidConfig("the KMS key is disabled", kmsKey),
  "KMS.KMSInvalidStateException": invalidConfig("the KMS key cannot be used in its state", kmsKey),
  "KMS.InvalidStateException": invalidConfig("the KMS key cannot be used in its state", kmsKey),
  KMSDisabledException: invalidConfig("the KMS key is disabled", kmsKey),
};

/** Codes of EC2. */
export const ec2Codes: Readonly<Record<string, Meaning>> = {
  "InvalidSnapshot.InUse": {
    kind: "held",
    text: "the snapshot is in use by an AMI",
    remedy: "deregister the AMI that was made from it",
  },
  SnapshotLocked: { kind: "held", text: "the snapshot is locked", remedy: "wait for the lock's end" },
  IncorrectState: { kind: "conflict", text: "the resource is in another state", remedy: "try again" },
  ResourceLimitExceeded: { kind: "unavailable", text: "a quota is used up", remedy: "raise the EC2 quota" },
  SnapshotLimitExceeded: {
    kind: "unavailable",
    text: "the quota of snapshots is used up",
    remedy: "raise the EC2 quota",
  },
  VolumeLimitExceeded: { kind: "unavailable", text: "the quota of volumes is used up", remedy: "raise the EC2 quota" },
  MaxIOPSLimitExceeded: { kind: "unavailable", text: "the quota of IOPS is used up", remedy: "raise the EC2 quota" },
  ConcurrentSnapshotLimitExceeded: throttled,
  SnapshotCreationPerVolumeRateExceeded: throttled,
  InsufficientVolumeCapacity: unavailable("the zone lacks capacity for this volume"),
  "InvalidZone.NotFound": invalidConfig("the zone is unknown in this region", "correct the location's key region"),
  UnknownVolumeType: { kind: "invalid-argument", text: "the volume type is unknown", remedy: "" },
  InvalidKmsKeyId: invalidConfig("the KMS key is not valid", "correct ebsKmsKeyId"),
};

/** What a role wants of the pod that asks for it (IRSA). */
export const webIdentityAdvice =
  "the role's trust policy must name the cluster's OIDC provider and the pod's service account";

/** Codes of STS. */
export const stsCodes: Readonly<Record<string, Meaning>> = {
  InvalidIdentityToken: denied(
    "IAM does not know the issuer or the audience of the pod's token",
    `create the cluster's OIDC provider in IAM, with the audience sts.amazonaws.com; ${webIdentityAdvice}`,
  ),
  IDPRejectedClaim: denied("the issuer refuses the pod's token", webIdentityAdvice),
  IDPCommunicationError: unavailable("STS could not ask the token's issuer"),
  RegionDisabledException: denied("STS is disabled in this region", "enable it in the account's settings"),
};
