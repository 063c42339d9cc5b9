import {
  absentError,
  answerError,
  chainOf,
  deniedMeaning,
  localError,
  meaningOfStatus,
  networkError,
} from "@flotilla/sdk/network";
import type { Attempt, Meaning, ServiceAnswer } from "@flotilla/sdk/network";
import { PluginError } from "@flotilla/sdk/plugin";
import type { PluginErrorKind } from "@flotilla/sdk/plugin";
import { retryAfterMs } from "./retry-after.ts";
import { absentBlobCodes, blobCodes, entraCodes } from "./service-codes.ts";

export type { Attempt } from "@flotilla/sdk/network";

/** Turns what the Blob client threw into a PluginError. */
export function translateBlobError(thrown: unknown, attempt: Attempt): PluginError {
  const answer = answerOf(thrown);
  if (answer === undefined) return brokenAnswer(thrown, attempt) ?? localError(thrown, attempt);
  if (attempt.subject !== undefined && absentBlobCodes.has(answer.code))
    return absentError(thrown, answer, attempt.subject);
  const known =
    meaningOfHeader(thrown) ??
    meaningOfCopySource(thrown, answer) ??
    (Object.hasOwn(blobCodes, answer.code) ? blobCodes[answer.code] : undefined);
  if (known === undefined) return answerError(thrown, answer, attempt, meaningOfStatus(answer, attempt));
  // A refusal names the permission that was missing, beside what its code tells.
  const remedy = known.remedy === "" && known.kind === "denied" ? deniedMeaning(attempt).remedy : known.remedy;
  return answerError(thrown, answer, attempt, { ...known, remedy });
}

/** Turns what a credential of the identity SDK threw into a PluginError; no secret is part of what it keeps. */
export function translateCredentialsError(thrown: unknown, attempt: Attempt): PluginError {
  const inner = chainOf(thrown).find((error) => error instanceof PluginError);
  if (inner !== undefined) return inner;
  if (attempt.signal?.aborted === true) return PluginError.from(attempt.signal.reason);
  const network = networkError(thrown, attempt);
  if (network !== undefined) return network;
  return refusedToken(thrown, attempt);
}

/** The service's own code in an SDK error. */
export function codeOf(thrown: unknown): string | undefined {
  return answerOf(thrown)?.code;
}

/** What a header that the service refuses says about the location's key that it comes from. */
function meaningOfHeader(thrown: unknown): Meaning | undefined {
  // The element of InvalidHeaderValue's answer, where the SDK puts such elements.
  const { details } = thrown as { readonly details?: { readonly HeaderName?: unknown } };
  const header = typeof details?.HeaderName === "string" ? details.HeaderName.toLowerCase() : "";
  if (header === "x-ms-version")
    return { kind: "unsupported", text: "the store does not know the version of the API that this takes", remedy: "" };
  const key = Object.hasOwn(keysOfHeaders, header) ? keysOfHeaders[header] : undefined;
  return key === undefined
    ? undefined
    : { kind: "invalid-config", text: `the value of ${key} is refused`, remedy: `correct the location's key ${key}` };
}

/** What it means that the store of a copy could not read the source, which is another store's to answer. */
function meaningOfCopySource(thrown: unknown, { code }: ServiceAnswer): Meaning | undefined {
  if (code !== "CannotVerifyCopySource") return undefined;
  // Elements of the answer that its reference documents, in the form that the SDK gives them.
  const { details } = thrown as {
    readonly details?: { readonly copySourceStatusCode?: unknown; readonly copySourceErrorCode?: unknown };
  };
  const status = Number(details?.copySourceStatusCode ?? (thrown as { readonly statusCode?: unknown }).statusCode);
  const inner = typeof details?.copySourceErrorCode === "string" ? ` (${details.copySourceErrorCode})` : "";
  const kind = copySourceKinds.find(([statuses]) => statuses.includes(status))?.[1] ?? "unavailable";
  const remedies: Partial<Record<PluginErrorKind, string>> = {
    unsupported: "let the source's account be read from there: its firewall, its private endpoints, its keys or roles",
    held: "rehydrate the source first",
  };
  return { kind, text: `the store cannot read the source${inner}`, remedy: remedies[kind] ?? "" };
}

// What this plugin may read itself, but not the other store, is no lack of permission: its bytes can be carried over.
const copySourceKinds: readonly (readonly [readonly number[], PluginErrorKind])[] = [
  [[401, 403], "unsupported"],
  [[404], "not-found"],
  [[409], "held"],
  [[412], "conflict"],
];

const keysOfHeaders: Readonly<Record<string, string>> = {
  "x-ms-encryption-scope": "encryptionScope",
  "x-ms-access-tier": "accessTier",
  "x-ms-tags": "tagging",
};

function refusedToken(thrown: unknown, attempt: Attempt): PluginError {
  const code = entraCodeOf(thrown);
  const status = chainOf(thrown)
    .map(tokenStatusOf)
    .find((one) => one !== undefined);
  const known = [code === undefined ? [] : [code], status === undefined ? [] : [`HTTP ${status}`]].flat();
  // What was never asked failed here: over a certificate that cannot be used, for example.
  const seen = known.length > 0 ? known : [firstLine(thrown)];
  const meaning = meaningOfRefusal(thrown, code, status);
  return new PluginError(`${attempt.action}: ${meaning.text} (${seen.join(", ")}); ${meaning.remedy}`, {
    kind: meaning.kind,
    code,
    cause: thrown,
  });
}

function meaningOfRefusal(thrown: unknown, code: string | undefined, status: number | undefined): Meaning {
  const known = code !== undefined && Object.hasOwn(entraCodes, code) ? entraCodes[code] : undefined;
  if (known !== undefined) return known;
  if (status !== undefined && (status === 429 || status >= 500))
    return { kind: "unavailable", text: "no token was issued", remedy: "try again later" };
  // All that the identity SDK tells of an answer of the metadata service that held no token, a 500 for example.
  if (firstLine(thrown).startsWith("Response had no "))
    return { kind: "unavailable", text: "the metadata service failed", remedy: "try again later" };
  // The identity SDK keeps no more than this code of a tenant's discovery document that it did not get.
  if (firstLine(thrown).startsWith("endpoints_resolution_error"))
    return {
      kind: "unavailable",
      text: "the authority says nothing about the tenant",
      remedy: "check AZURE_TENANT_ID, AZURE_CLOUD_NAME and activeDirectoryAuthorityURI",
    };
  return {
    kind: "denied",
    text: "no token was issued",
    remedy:
      "check the identity of the location: its credentials file, the pod's workload identity, or the node's managed identity",
  };
}

function firstLine(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return (message.split("\n", 1)[0] ?? "").slice(0, 200);
}

/** What the SDK says when an answer ended early or was none of the service's. */
export function brokenAnswer(thrown: unknown, attempt: Attempt): PluginError | undefined {
  if (attempt.signal?.aborted === true || !(thrown instanceof Error)) return undefined;
  // The SDKs take any document for the one they asked for, and stumble over what it lacks; Node's own errors have codes.
  if (!("code" in thrown))
    return thrown instanceof TypeError || thrown instanceof RangeError ? foreignAnswer(attempt, thrown) : undefined;
  if (thrown.code === "REQUEST_SEND_ERROR")
    return new PluginError(
      `${attempt.action}: the connection was cut; check the endpoint, the network policy and the proxy`,
      {
        kind: "unavailable",
        cause: thrown,
      },
    );
  return thrown.code === "PARSE_ERROR" ? foreignAnswer(attempt, thrown) : undefined;
}

/** The error of an answer that another server gave, with a status that means success. */
export function foreignAnswer({ action }: Attempt, cause?: unknown): PluginError {
  return new PluginError(
    `${action}: the answer is not the service's; check that the endpoint is the service's API and not a proxy's page`,
    { kind: "unavailable", cause },
  );
}

function answerOf(thrown: unknown): ServiceAnswer | undefined {
  if (!(thrown instanceof Error)) return undefined;
  // The fields of the SDKs' RestError; the identity SDK's errors have some of them.
  const error = thrown as Error & {
    readonly statusCode?: unknown;
    readonly code?: unknown;
    readonly details?: { readonly errorCode?: unknown; readonly error?: { readonly code?: unknown } };
    readonly response?: { readonly headers?: { get?(name: string): string | undefined } };
  };
  if (typeof error.statusCode !== "number" || error.code === "PARSE_ERROR") return undefined;
  const header = (name: string): string | undefined => error.response?.headers?.get?.(name);
  const codes = [header("x-ms-error-code"), error.details?.errorCode, error.details?.error?.code, error.code];
  return {
    code: (codes.find((code) => typeof code === "string" && code !== "") as string | undefined) ?? "no error code",
    status: error.statusCode,
    requestId: header("x-ms-request-id"),
    retryAfterMs: retryAfterMs(header),
  };
}

/** The status in an error of the identity SDK, which has two names for it. */
function tokenStatusOf(error: Error): number | undefined {
  const { statusCode, status } = error as Error & { readonly statusCode?: unknown; readonly status?: unknown };
  return [statusCode, status].find((one) => typeof one === "number");
}

/** Entra's own code (AADSTS…), which its answers carry only inside their description. */
function entraCodeOf(thrown: unknown): string | undefined {
  for (const error of chainOf(thrown)) {
    const code = /AADSTS\d+/.exec(error.message)?.[0];
    if (code !== undefined) return code;
  }
  return undefined;
}
