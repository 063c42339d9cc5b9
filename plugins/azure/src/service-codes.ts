import type { Meaning } from "@flotilla/sdk/network";

const denied = (text: string, remedy: string): Meaning => ({ kind: "denied", text, remedy });
const invalidConfig = (text: string, remedy: string): Meaning => ({ kind: "invalid-config", text, remedy });
const invalidArgument = (text: string, remedy = ""): Meaning => ({ kind: "invalid-argument", text, remedy });
const unavailable = (text: string): Meaning => ({ kind: "unavailable", text, remedy: "" });
const conflict = (text: string, remedy = ""): Meaning => ({ kind: "conflict", text, remedy });
const held = (text: string, remedy: string): Meaning => ({ kind: "held", text, remedy });

const noContainer = invalidConfig(
  "the bucket (container) is missing",
  "create the container or correct spec.objectStorage.bucket",
);
const altered: Meaning = {
  kind: "corrupt",
  text: "the store received other bytes than were sent",
  remedy: "check what stands between the plugin and the store",
};
const wrongKey = denied(
  "the credentials are refused",
  "check the account's access key or the token's identity, and the clock of the node (NTP)",
);
const otherKey = invalidConfig(
  "the object is encrypted with another customer-provided key",
  "give the location the customerKeyEncryption key that the object was written with",
);
const throttled = unavailable("throttled");
const failing = unavailable("the service failed");

/** Codes that say of an object that it is absent. */
export const absentBlobCodes: ReadonlySet<string> = new Set(["BlobNotFound"]);

/** Codes of Blob Storage. */
export const blobCodes: Readonly<Record<string, Meaning>> = {
  ContainerNotFound: noContainer,
  ContainerDisabled: noContainer,
  ContainerBeingDeleted: { ...noContainer, text: "the bucket (container) is being deleted" },
  InvalidResourceName: invalidConfig(
    "the bucket's or the object's name is not a valid one",
    "correct spec.objectStorage",
  ),
  AuthenticationFailed: wrongKey,
  InvalidAuthenticationInfo: wrongKey,
  NoAuthenticationInformation: wrongKey,
  AuthorizationFailure: denied(
    "this network or identity may not use the account",
    "check the account's firewall and private endpoints, and the roles of the identity",
  ),
  // An empty remedy names the permission of the attempt.
  AuthorizationPermissionMismatch: denied("access denied", ""),
  AuthorizationResourceTypeMismatch: denied("access denied", ""),
  AuthorizationServiceMismatch: denied("access denied", ""),
  InsufficientAccountPermissions: denied("access denied", ""),
  PublicAccessNotPermitted: wrongKey,
  KeyBasedAuthenticationNotPermitted: denied(
    "the account refuses access keys",
    'set the location\'s key useAAD to "true"',
  ),
  AccountIsDisabled: denied("the account is disabled", "enable the storage account"),
  AccountRequiresHttps: invalidConfig("the account requires https", "correct storageAccountURI"),
  AuthorizationProtocolMismatch: invalidConfig("the account requires https", "correct storageAccountURI"),
  ServerBusy: throttled,
  InternalError: failing,
  OperationTimedOut: failing,
  Md5Mismatch: altered,
  InvalidMd5: altered,
  Crc64Mismatch: altered,
  ConditionNotMet: conflict("the object changed meanwhile"),
  SourceConditionNotMet: conflict("the source changed meanwhile"),
  TargetConditionNotMet: conflict("the object changed meanwhile"),
  InvalidBlockList: conflict("its blocks are gone: another upload of the same object was completed meanwhile"),
  InvalidBlobOrBlock: conflict(
    "an interrupted upload of another program left blocks of another form",
    "delete the object, or wait a week until these blocks are gone",
  ),
  InvalidBlockId: conflict(
    "an interrupted upload of another program left blocks of another form",
    "delete the object, or wait a week until these blocks are gone",
  ),
  InvalidBlobType: conflict("the object there is no block blob", "delete it first"),
  BlobImmutableDueToPolicy: held(
    "an immutability policy or legal hold protects it",
    "wait for its end or clear the hold",
  ),
  BlobImmutableDueToLegalHold: held("a legal hold protects it", "clear the hold"),
  LeaseIdMissing: held("it is leased", "break the lease"),
  LeaseLost: held("it is leased", "break the lease"),
  SnapshotsPresent: held("it has snapshots", "delete its snapshots"),
  BlobArchived: held(
    "the object is in the archive tier",
    "rehydrate it first, and keep lifecycle rules off the location's prefix",
  ),
  BlobBeingRehydrated: held("the object is being rehydrated from the archive tier", "wait for its end"),
  BlobUsesCustomerSpecifiedEncryption: otherKey,
  CustomerProvidedKeyHashMismatch: otherKey,
  BlobDoesNotUseCustomerSpecifiedEncryption: invalidConfig(
    "the object is not encrypted with a customer-provided key",
    "remove the location's customerKeyEncryption key to read it",
  ),
  BlobCustomerSpecifiedEncryptionMismatch: otherKey,
  RequestForbiddenByContainerEncryptionPolicy: invalidConfig(
    "the container allows its own encryption scope only",
    "remove or correct the location's key encryptionScope",
  ),
  EncryptionScopeNotFound: invalidConfig(
    "the encryption scope is unknown",
    "correct the location's key encryptionScope",
  ),
  KeyVaultEncryptionKeyNotFound: denied("the account's key in Key Vault is missing", "restore the key"),
  BlobAccessTierNotSupportedForAccountType: invalidConfig(
    "the account has no access tiers",
    "remove the location's key accessTier",
  ),
  InvalidBlobTier: invalidConfig("the access tier is refused", "correct the location's key accessTier"),
  DirectoryIsNotEmpty: conflict("the folder is not empty"),
  RequestBodyTooLarge: invalidArgument("the block or object is larger than the store allows"),
  BlockCountExceedsLimit: invalidArgument("the object has more blocks than the store allows"),
  OutOfRangeInput: invalidArgument("the name is too long", "shorten the prefix or the name"),
  InvalidUri: invalidArgument("the name is not a valid one"),
  FeatureVersionMismatch: { kind: "unsupported", text: "the store lacks this feature", remedy: "" },
  UnsupportedHeader: { kind: "unsupported", text: "the store lacks this feature", remedy: "" },
};

/** Codes of Entra. */
export const entraCodes: Readonly<Record<string, Meaning>> = {
  AADSTS7000215: denied("the client secret is wrong", "give the secret's value, not its id, as AZURE_CLIENT_SECRET"),
  AADSTS7000222: denied("the client secret has expired", "make a new one and give it as AZURE_CLIENT_SECRET"),
  AADSTS700016: denied("the application is unknown in this tenant", "check AZURE_CLIENT_ID and AZURE_TENANT_ID"),
  AADSTS90002: denied("the tenant is unknown", "check AZURE_TENANT_ID and AZURE_CLOUD_NAME"),
  AADSTS900023: denied("the tenant's id is not valid", "check AZURE_TENANT_ID"),
  AADSTS7000112: denied("the application is disabled", "enable it in Entra"),
  AADSTS700027: denied("the certificate is not registered with the application", "upload it in Entra"),
  AADSTS70021: denied(
    "no federated credential of the application matches the pod's token",
    "check issuer, subject and audience of the federated credential",
  ),
  AADSTS700211: denied("no federated credential matches the token's issuer", "check the cluster's OIDC issuer URL"),
  AADSTS700213: denied("no federated credential matches the token's subject", "check the service account's name"),
  AADSTS700024: denied("the assertion is not within its time", "set the clock of the node (NTP)"),
  AADSTS500011: denied("the cloud's API is unknown in this tenant", "check AZURE_CLOUD_NAME"),
  AADSTS53003: denied("a conditional access policy forbids it", "except the application from the policy"),
};
