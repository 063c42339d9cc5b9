import type { Meaning } from "@flotilla/sdk/network";

const unavailable = (text: string, remedy = ""): Meaning => ({ kind: "unavailable", text, remedy });
const denied = (text: string, remedy: string): Meaning => ({ kind: "denied", text, remedy });
const invalidConfig = (text: string, remedy: string): Meaning => ({ kind: "invalid-config", text, remedy });

const preempted: Meaning = { kind: "conflict", text: "another request ended it", remedy: "try again" };
const busy: Meaning = { kind: "conflict", text: "another operation is changing the resource", remedy: "try again" };
const keyDenied = denied(
  "the key of the disk encryption set cannot be used",
  "check the key in Key Vault and the access of the disk encryption set's identity to it",
);

/** Codes of Azure Resource Manager and of Microsoft.Compute. An empty remedy of a refusal names the missing permission. */
export const armCodes: Readonly<Record<string, Meaning>> = {
  AuthorizationFailed: denied("access denied", ""),
  LinkedAuthorizationFailed: denied("access denied", ""),
  AuthenticationFailed: denied("the credentials are refused", "check the identity of the location"),
  InvalidAuthenticationToken: denied("the token is refused", "check the identity and activeDirectoryAuthorityURI"),
  InvalidAuthenticationTokenTenant: denied(
    "the token is of another tenant than the subscription",
    "correct AZURE_TENANT_ID",
  ),
  ExpiredAuthenticationToken: denied("the token has expired", "set the clock of the node (NTP)"),
  ResourceGroupNotFound: invalidConfig(
    "the resource group is missing",
    "create the resource group or correct the location's key resourceGroup (or AZURE_RESOURCE_GROUP)",
  ),
  SubscriptionNotFound: invalidConfig(
    "the subscription is missing",
    "correct the location's key subscriptionId (or AZURE_SUBSCRIPTION_ID)",
  ),
  InvalidSubscriptionId: invalidConfig(
    "the subscription's id is not valid",
    "correct the location's key subscriptionId (or AZURE_SUBSCRIPTION_ID)",
  ),
  MissingSubscriptionRegistration: invalidConfig(
    "the subscription does not have the resource provider yet",
    "register it: az provider register --namespace Microsoft.Compute (or Microsoft.Storage) --subscription SUBSCRIPTION",
  ),
  ReadOnlyDisabledSubscription: denied("the subscription is disabled", "enable the subscription"),
  RequestDisallowedByPolicy: denied("an Azure Policy forbids it", "exempt the resource group or change the policy"),
  RequestDisallowedByAzure: denied("Azure forbids it in this region", "ask Azure's support for access"),
  ScopeLocked: {
    kind: "held",
    text: "a lock protects it",
    remedy: "remove the lock of the resource, group or subscription",
  },
  TooManyRequests: unavailable("throttled"),
  SubscriptionRequestsThrottled: unavailable("throttled"),
  OperationNotAllowed: { kind: "conflict", text: "Azure does not allow it now", remedy: "" },
  QuotaExceeded: unavailable("a quota is used up", "raise the quota of the subscription"),
  SnapshotCountExceeded: unavailable(
    "the disk has as many snapshots as Azure allows",
    "let backups expire, or delete snapshots that no backup needs",
  ),
  SkuNotAvailable: { kind: "unsupported", text: "the disk type is not offered there", remedy: "choose another zone" },
  AllocationFailed: unavailable("Azure lacks capacity there"),
  ZonalAllocationFailed: unavailable("Azure lacks capacity in the zone"),
  OverconstrainedZonalAllocationRequest: unavailable("Azure lacks capacity in the zone"),
  InternalServerError: unavailable("the service failed"),
  InternalExecutionError: unavailable("the service failed"),
  InternalOperationError: unavailable("the service failed"),
  Canceled: preempted,
  OperationPreempted: preempted,
  OperationPreemptedByDelete: preempted,
  AnotherOperationInProgress: busy,
  AttachDiskWhileBeingDetached: busy,
  DiskEncryptionSetNotFound: invalidConfig(
    "the disk encryption set is missing",
    "create it again, or remove the snapshot's tag that names it to encrypt with Azure's own key",
  ),
  KeyVaultAccessForbidden: keyDenied,
  KeyVaultKeyNotFound: keyDenied,
  KeyVaultSecretDisabled: keyDenied,
};
