import { BlobError, invalidHeader } from "./blob-error.ts";
import { unversioned } from "./blob-meta.ts";
import type { BlobMeta, BlobSettings, Immutability } from "./blob-meta.ts";
import type { Call } from "./call.ts";
import { checkMd5Form } from "./checksums.ts";
import type { Container } from "./container.ts";
import { encryptionHeaders, readEncryption } from "./encryption.ts";
import { metadataHeaders, readMetadata } from "./metadata.ts";
import { roleOf } from "./state.ts";
import { readTagHeader } from "./tags.ts";

// The names under which a writer sets the standard headers, and those under which a reader gets them.
const contentHeaders = ["cache-control", "content-disposition", "content-encoding", "content-language"] as const;
const tiers = ["Hot", "Cool", "Cold", "Archive"];

/** Reads everything that the writer of a blob may choose. */
export function readSettings(call: Call, container: Container): BlobSettings {
  const tier = readTier(call);
  return {
    headers: { ...readContentHeaders(call, true), "content-type": readContentType(call) },
    metadata: readMetadata(call.request),
    tags: readTags(call),
    tier: tier ?? "Hot",
    isTierInferred: tier === undefined,
    encryption: readEncryption(call, container.config),
    immutability: readImmutability(call, container),
    hasLegalHold: readLegalHold(call, container),
  };
}

/** Reads the standard headers that a request sets on a blob. */
export function readContentHeaders(call: Call, takesMd5: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of contentHeaders) {
    const value = call.headers.get(`x-ms-blob-${name}`);
    if (value !== undefined && value !== "") headers[name] = value;
  }
  const md5 = takesMd5 ? call.headers.get("x-ms-blob-content-md5") : undefined;
  if (md5 === undefined || md5 === "") return headers;
  checkMd5Form(md5);
  return { ...headers, "content-md5": md5 };
}

/** Reads the tags of a write; they need a permission of their own. */
export function readTags(call: Call): Record<string, string> {
  const header = call.headers.get("x-ms-tags");
  if (header !== undefined && !maySetTags(call)) throw new BlobError("AuthorizationPermissionMismatch");
  return readTagHeader(header);
}

function maySetTags({ account, authorization }: Call): boolean {
  if (authorization.kind === "sas") return authorization.permissions.has("t");
  return authorization.kind === "shared-key" || roleOf(account, authorization.principal.objectId) === "owner";
}

/** Reads x-ms-access-tier. */
export function readTier(call: Call): string | undefined {
  const tier = call.headers.get("x-ms-access-tier");
  if (tier === undefined) return undefined;
  const known = tiers.find((one) => one.toLowerCase() === tier.toLowerCase());
  if (known === undefined) throw invalidHeader("x-ms-access-tier", tier);
  return known;
}

/** Reads a retention; only a container whose versions can be immutable takes one. */
export function readImmutability(call: Call, container: Container): Immutability | undefined {
  const until = call.headers.get("x-ms-immutability-policy-until-date");
  const mode = call.headers.get("x-ms-immutability-policy-mode") ?? (until === undefined ? undefined : "Unlocked");
  if (until === undefined && mode === undefined) return undefined;
  requireImmutableContainer(container, "x-ms-immutability-policy-until-date", until ?? "");
  const time = Date.parse(until ?? "");
  if (until === undefined || Number.isNaN(time) || time <= call.now.getTime()) {
    throw invalidHeader("x-ms-immutability-policy-until-date", until ?? "");
  }
  const known = (["Unlocked", "Locked"] as const).find((one) => one.toLowerCase() === mode?.toLowerCase());
  if (known === undefined) throw invalidHeader("x-ms-immutability-policy-mode", mode ?? "");
  return { mode: known, until: new Date(time).toISOString() };
}

/** Reads a legal hold; only a container whose versions can be immutable takes one. */
export function readLegalHold(call: Call, container: Container): boolean | undefined {
  const text = call.headers.get("x-ms-legal-hold");
  if (text === undefined) return undefined;
  if (!/^(true|false)$/i.test(text)) throw invalidHeader("x-ms-legal-hold", text);
  requireImmutableContainer(container, "x-ms-legal-hold", text);
  return text.toLowerCase() === "true";
}

/** Returns the headers that describe a blob in answers to a read. */
export function blobHeaders(meta: BlobMeta, isCurrent: boolean): Record<string, string | number | undefined> {
  const tagCount = Object.keys(meta.tags).length;
  return {
    ...meta.headers,
    etag: meta.etag,
    "last-modified": httpDate(meta.lastModified),
    "x-ms-creation-time": httpDate(meta.created),
    "x-ms-blob-type": "BlockBlob",
    "x-ms-lease-state": "available",
    "x-ms-lease-status": "unlocked",
    "x-ms-server-encrypted": "true",
    "accept-ranges": "bytes",
    ...encryptionHeaders(meta.encryption),
    ...versionHeaders(meta, isCurrent),
    ...metadataHeaders(meta.metadata),
    "x-ms-tag-count": tagCount === 0 ? undefined : tagCount,
    "x-ms-immutability-policy-until-date":
      meta.immutability === undefined ? undefined : httpDate(meta.immutability.until),
    "x-ms-immutability-policy-mode": meta.immutability?.mode.toLowerCase(),
    "x-ms-legal-hold": meta.hasLegalHold === undefined ? undefined : String(meta.hasLegalHold),
    ...copyHeaders(meta),
  };
}

/** Returns the headers that name a version, where the account has versions. */
export function versionHeaders(meta: BlobMeta, isCurrent: boolean): Record<string, string | undefined> {
  if (meta.versionId === unversioned) return {};
  return { "x-ms-version-id": meta.versionId, "x-ms-is-current-version": isCurrent ? "true" : undefined };
}

/** Writes a time as HTTP headers do. */
export function httpDate(iso: string): string {
  return new Date(iso).toUTCString();
}

function copyHeaders({ copy }: BlobMeta): Record<string, string | undefined> {
  if (copy === undefined) return {};
  return {
    "x-ms-copy-id": copy.id,
    "x-ms-copy-source": copy.source,
    "x-ms-copy-status": copy.status,
    "x-ms-copy-progress": `${copy.copied}/${copy.total}`,
    "x-ms-copy-completion-time": copy.status === "pending" ? undefined : httpDate(copy.completes),
    "x-ms-copy-status-description": copy.description,
  };
}

function readContentType(call: Call): string {
  const own = call.headers.get("x-ms-blob-content-type");
  if (own !== undefined) return own;
  // Of a block list it would be the type of the document.
  const sent = call.operation === "PutBlob" ? call.headers.get("content-type") : undefined;
  return sent ?? "application/octet-stream";
}

function requireImmutableContainer(container: Container, header: string, value: string): void {
  if (!container.config.isImmutable)
    throw new BlobError("UnsupportedHeader", { HeaderName: header, HeaderValue: value });
}
