import { BlobError } from "./blob-error.ts";

/** What a URL names. */
export interface Address {
  readonly account: string;
  readonly container: string | undefined;
  readonly blob: string | undefined;
}

/** Reads account, container and blob from a path; the account may come first in the host instead. */
export function readAddress(host: string, rawPath: string, isAccount: (name: string) => boolean): Address {
  const [label = "", ...domain] = host.split(".");
  const isInHost = domain.length > 0 && isAccount(label);
  const parts = rawPath.slice(1).split("/");
  const account = isInHost ? label : decode(parts.shift() ?? "");
  const [container, ...blob] = parts;
  return {
    account,
    container: container === undefined || container === "" ? undefined : decode(container),
    blob: blob.length === 0 || blob.join("/") === "" ? undefined : nameOf(blob.join("/")),
  };
}

/** Names the operation that a request asks for, as the API reference does. */
export function routeOperation(
  method: string,
  address: Address,
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): string {
  if (address.blob !== undefined) return blobOperation(method, query, headers);
  const key = [method, query.get("restype") ?? "", query.get("comp") ?? ""].join(" ");
  const operations = address.container === undefined ? serviceOperations : containerOperations;
  return operations[key] ?? "Unknown";
}

const serviceOperations: Readonly<Record<string, string>> = {
  "GET  list": "ListContainers",
  "POST service userdelegationkey": "GetUserDelegationKey",
  "GET service properties": "GetBlobServiceProperties",
  "GET account properties": "GetAccountInformation",
  "HEAD account properties": "GetAccountInformation",
};

const containerOperations: Readonly<Record<string, string>> = {
  "PUT container ": "CreateContainer",
  "DELETE container ": "DeleteContainer",
  "GET container ": "GetContainerProperties",
  "HEAD container ": "GetContainerProperties",
  "GET container list": "ListBlobs",
};

const blobOperations: Readonly<Record<string, string>> = {
  "GET ": "GetBlob",
  "HEAD ": "GetBlobProperties",
  "DELETE ": "DeleteBlob",
  "PUT block": "PutBlock",
  "PUT blocklist": "PutBlockList",
  "GET blocklist": "GetBlockList",
  "PUT metadata": "SetBlobMetadata",
  "PUT properties": "SetBlobProperties",
  "PUT tier": "SetBlobTier",
  "PUT tags": "SetBlobTags",
  "GET tags": "GetBlobTags",
  "PUT snapshot": "SnapshotBlob",
  "PUT copy": "AbortCopyBlob",
  "PUT immutabilityPolicies": "SetBlobImmutabilityPolicy",
  "DELETE immutabilityPolicies": "DeleteBlobImmutabilityPolicy",
  "PUT legalhold": "SetBlobLegalHold",
};

function blobOperation(
  method: string,
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): string {
  const comp = query.get("comp");
  const hasSource = headers.has("x-ms-copy-source");
  if (method === "PUT" && comp === "block" && hasSource) return "PutBlockFromUrl";
  if (method !== "PUT" || comp !== undefined) return blobOperations[`${method} ${comp ?? ""}`] ?? "Unknown";
  if (!hasSource) return "PutBlob";
  if (headers.has("x-ms-blob-type")) return "PutBlobFromUrl";
  return headers.get("x-ms-requires-sync")?.toLowerCase() === "true" ? "CopyBlobFromUrl" : "CopyBlob";
}

// The service makes a slash of every backslash in a name.
function nameOf(text: string): string {
  return decode(text).replaceAll("\\", "/");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new BlobError("InvalidUri", { Cause: String(cause) });
  }
}
