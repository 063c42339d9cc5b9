import type { Meaning } from "@flotilla/sdk/network";

const unavailable = (text: string, remedy = ""): Meaning => ({ kind: "unavailable", text, remedy });
const denied = (text: string, remedy: string): Meaning => ({ kind: "denied", text, remedy });
const conflict = (text: string): Meaning => ({ kind: "conflict", text, remedy: "try again" });

const accessDenied = denied("access denied", "");
const inUse: Meaning = { kind: "held", text: "something else uses it", remedy: "try again when that is gone" };
const exhausted = unavailable("Compute Engine lacks capacity there", "try again later, or restore into another zone");

/**
 * The reasons in Compute Engine's answers; the codes of failed operations are the same words in capitals. An empty remedy
 * of a refusal names the missing permission.
 */
const meanings: Readonly<Record<string, Meaning>> = {
  forbidden: accessDenied,
  iamPermissionDenied: accessDenied,
  permissionsError: accessDenied,
  insufficientPermissions: denied(
    "the token's scopes do not allow it",
    "give the node or the credentials the scope https://www.googleapis.com/auth/cloud-platform",
  ),
  authError: denied("the credentials are refused", "check the identity of the location"),
  accessNotConfigured: denied(
    "the Compute Engine API is not enabled in the project",
    "enable compute.googleapis.com there, or correct the location's keys project and volumeProject",
  ),
  serviceDisabled: denied(
    "the Compute Engine API is not enabled in the project",
    "enable compute.googleapis.com there, or correct the location's keys project and volumeProject",
  ),
  kmsPermissionDenied: denied(
    "the KMS key cannot be used",
    "grant roles/cloudkms.cryptoKeyEncrypterDecrypter on the key to the Compute Engine service agent of the project, or set the location's key kmsKeyName",
  ),
  quotaExceeded: unavailable("a quota is used up", "raise the quota of the project or let backups expire"),
  rateLimitExceeded: unavailable("throttled"),
  userRateLimitExceeded: unavailable("throttled"),
  resourceOperationRateExceeded: unavailable(
    "Compute Engine takes no further snapshot of this disk for some minutes",
    "back the disk up less often",
  ),
  operationRateExceeded: unavailable(
    "Compute Engine takes no further snapshot of this disk for some minutes",
    "back the disk up less often",
  ),
  resourceInUseByAnotherResource: inUse,
  resourceInUse: inUse,
  resourceNotReady: conflict("it is not ready yet"),
  alreadyExists: conflict("it exists already"),
  resourceAlreadyExists: conflict("it exists already"),
  conditionNotMet: { kind: "conflict", text: "a condition is not met", remedy: "" },
  zoneResourcePoolExhausted: exhausted,
  zoneResourcePoolExhaustedWithDetails: exhausted,
  resourcePoolExhausted: exhausted,
  backendError: unavailable("the service failed"),
  internalError: unavailable("the service failed"),
};

// A second try has a chance at once; of other failures that may pass it would only be a burden.
const passingReasons = new Set(["rateLimitExceeded", "userRateLimitExceeded", "backendError", "internalError"]);
const passingStatuses = new Set([408, 429, 500, 502, 503, 504]);

/** What a reason or an operation's code means; undefined for one that is not known. */
export function meaningOfReason(code: string): Meaning | undefined {
  const reason = reasonOf(code);
  return Object.hasOwn(meanings, reason) ? meanings[reason] : undefined;
}

/** Whether the same request may be answered well a moment later. */
export function isPassing(code: string, status: number): boolean {
  return passingReasons.has(code) || passingStatuses.has(status);
}

/** Whether an answer says that what was named does not exist. */
export function isAbsence(code: string): boolean {
  const reason = reasonOf(code);
  return reason === "notFound" || reason === "resourceNotFound";
}

/** `RESOURCE_NOT_READY` is the code of an operation for what an answer calls `resourceNotReady`. */
function reasonOf(code: string): string {
  if (!/^[A-Z][A-Z0-9_]*$/.test(code)) return code;
  return code.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
