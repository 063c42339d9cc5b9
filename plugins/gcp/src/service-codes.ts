import type { Meaning } from "@flotilla/sdk/network";

const denied = (text: string, remedy: string): Meaning => ({ kind: "denied", text, remedy });
const invalidConfig = (text: string, remedy: string): Meaning => ({ kind: "invalid-config", text, remedy });
const invalidArgument = (text: string, remedy = ""): Meaning => ({ kind: "invalid-argument", text, remedy });
const unavailable = (text: string): Meaning => ({ kind: "unavailable", text, remedy: "" });
const conflict = (text: string, remedy = ""): Meaning => ({ kind: "conflict", text, remedy });
const held = (text: string, remedy: string): Meaning => ({ kind: "held", text, remedy });

const refusedToken = denied(
  "the credentials are refused",
  "check the location's credentials, and the clock of the node (NTP)",
);
const throttled = unavailable("throttled");
const failing = unavailable("the service failed");
const disabledProject = denied(
  "the project's billing is disabled",
  "enable billing of the project that owns the bucket",
);
const otherKey = invalidConfig(
  "the object is encrypted with another customer-supplied key",
  "give the location the customerKeyEncryption key that the object was written with",
);
const badKmsKey = (text: string): Meaning =>
  invalidConfig(text, "correct the location's key kmsKeyName, or the key of the bucket");

/** What a bucket that is not there means: never an absent object, on which the server would act. */
export const missingBucket: Meaning = invalidConfig(
  "the bucket is missing",
  "create the bucket or correct spec.objectStorage.bucket",
);

/** What bytes mean that arrived as others. */
export const alteredBytes: Meaning = {
  kind: "corrupt",
  text: "the store received other bytes than were sent",
  remedy: "check what stands between the plugin and the store",
};

/** What a bucket says whose requesters pay to those who name nobody that does. */
export const requesterPays: Meaning = denied(
  "the bucket makes its requesters pay",
  "give the credentials a quota_project_id, and grant serviceusage.services.use on that project",
);

/** Reasons of Cloud Storage: https://cloud.google.com/storage/docs/json_api/v1/status-codes */
export const storageCodes: Readonly<Record<string, Meaning>> = {
  authError: refusedToken,
  required: refusedToken,
  lockedDomainExpired: refusedToken,
  // An empty remedy names the permission of the attempt.
  forbidden: denied("access denied", ""),
  insufficientPermissions: denied("access denied", ""),
  accountDisabled: disabledProject,
  UserProjectAccountProblem: disabledProject,
  countryBlocked: denied("requests from this place are blocked", "ask Google's support"),
  usageLimitsAccessNotConfigured: denied("the API is disabled", "enable the Cloud Storage API of the project"),
  userProjectMissing: requesterPays,
  UserProjectAccessDenied: denied(
    "the identity may not bill the project",
    "grant serviceusage.services.use on the quota_project_id of the credentials",
  ),
  sslRequired: invalidConfig("the store requires https", "correct the location's key storeEndpoint"),
  orgPolicyConstraintFailed: denied("a policy of the organisation forbids it", "ask who keeps its constraints"),
  retentionPolicyNotMet: held(
    "a retention policy protects it",
    "wait for the retention's end, or shorten the backups' time to live below it",
  ),
  objectUnderActiveHold: held("a hold protects it", "clear the hold"),
  rateLimitExceeded: throttled,
  userRateLimitExceeded: throttled,
  usageLimitsRateLimitExceeded: throttled,
  quotaExceeded: throttled,
  backendError: failing,
  internalError: failing,
  gatewayTimeout: failing,
  uploadBrokenConnection: unavailable("the connection was cut"),
  conditionNotMet: conflict("the object changed meanwhile"),
  conflict: conflict("the object changed meanwhile"),
  uploadTooLarge: invalidArgument("the object is larger than the store allows"),
  customerEncryptionKeyIsIncorrect: otherKey,
  resourceIsEncryptedWithCustomerEncryptionKey: otherKey,
  resourceNotEncryptedWithCustomerEncryptionKey: invalidConfig(
    "the object is not encrypted with a customer-supplied key",
    "remove the location's customerKeyEncryption key to read it",
  ),
  cloudKmsBadKey: badKmsKey("the KMS key is refused"),
  cloudKmsDisabledKey: badKmsKey("the KMS key is disabled or destroyed"),
  cloudKmsEncryptionKeyNotFound: badKmsKey("the KMS key is unknown"),
  cloudKmsDecryptionKeyNotFound: badKmsKey("the KMS key that the object was written with is gone"),
  cloudKmsKeyLocationNotAllowed: badKmsKey("the KMS key is in another place than the bucket"),
};

/** Errors of the endpoints that issue tokens: https://datatracker.ietf.org/doc/html/rfc6749#section-5.2 and STS. */
export const tokenCodes: Readonly<Record<string, Meaning>> = {
  invalid_grant: denied(
    "the credentials are refused",
    "check that the key or sign-in is still valid and matches the account, and set the clock of the node (NTP)",
  ),
  invalid_client: denied("the client is unknown", "make the credentials again"),
  unauthorized_client: denied("the account may not ask for this token", "make the credentials again"),
  invalid_scope: denied("the scope is refused", "make the credentials again"),
  invalid_target: denied(
    "the workload identity pool or its provider is unknown or disabled",
    "check the audience of the credentials",
  ),
  access_denied: denied("access denied", "check the workload identity pool's conditions"),
};
