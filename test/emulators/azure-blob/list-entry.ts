import { element, leaf } from "../xml.ts";
import { unversioned } from "./blob-meta.ts";
import type { BlobMeta } from "./blob-meta.ts";
import { httpDate } from "./blob-settings.ts";
import { writeTags } from "./tags.ts";

/** Writes one blob, version or snapshot of a listing. */
export function writeBlob(
  meta: BlobMeta,
  kind: "current" | "version" | "snapshot",
  include: ReadonlySet<string>,
): string {
  const metadata = Object.entries(meta.metadata).map(([name, value]) => leaf(name, value));
  const hasTags = Object.keys(meta.tags).length > 0;
  return element("Blob", [
    writeName(meta.key),
    ...(kind === "snapshot" ? [leaf("Snapshot", meta.versionId)] : writeVersion(meta, kind, include)),
    element("Properties", writeProperties(meta, include)),
    ...(include.has("metadata") ? [element("Metadata", metadata)] : []),
    ...(include.has("tags") && hasTags ? [writeTags(meta.tags)] : []),
    "<OrMetadata />",
  ]);
}

/** Writes a blob that has blocks and was never committed. */
export function writeUncommitted(name: string): string {
  return element("Blob", [
    writeName(name),
    element("Properties", [
      leaf("Content-Length", 0),
      leaf("BlobType", "BlockBlob"),
      leaf("LeaseStatus", "unlocked"),
      leaf("LeaseState", "available"),
      leaf("ServerEncrypted", true),
    ]),
    "<OrMetadata />",
  ]);
}

/** Writes a name; percent-encoded where XML could not carry it. */
export function writeName(name: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(name)) return leaf("Name", name);
  return element("Name", [encodeURIComponent(name)], ' Encoded="true"');
}

function writeVersion(meta: BlobMeta, kind: "current" | "version", include: ReadonlySet<string>): string[] {
  if (meta.versionId === unversioned || !include.has("versions")) return [];
  return [leaf("VersionId", meta.versionId), ...(kind === "current" ? [leaf("IsCurrentVersion", true)] : [])];
}

function writeProperties(meta: BlobMeta, include: ReadonlySet<string>): string[] {
  const { headers } = meta;
  const tagCount = Object.keys(meta.tags).length;
  return [
    leaf("Creation-Time", httpDate(meta.created)),
    leaf("Last-Modified", httpDate(meta.lastModified)),
    // Listings have it without the quotes of the header.
    leaf("Etag", meta.etag.replaceAll('"', "")),
    leaf("Content-Length", meta.size),
    leaf("Content-Type", headers["content-type"] ?? ""),
    leaf("Content-Encoding", headers["content-encoding"] ?? ""),
    leaf("Content-Language", headers["content-language"] ?? ""),
    leaf("Content-CRC64", ""),
    leaf("Content-MD5", headers["content-md5"] ?? ""),
    leaf("Cache-Control", headers["cache-control"] ?? ""),
    leaf("Content-Disposition", headers["content-disposition"] ?? ""),
    leaf("BlobType", "BlockBlob"),
    leaf("AccessTier", meta.tier),
    leaf("AccessTierInferred", meta.isTierInferred ? true : undefined),
    leaf("AccessTierChangeTime", meta.tierChanged === undefined ? undefined : httpDate(meta.tierChanged)),
    leaf(
      "ArchiveStatus",
      meta.rehydration === undefined ? undefined : `rehydrate-pending-to-${meta.rehydration.tier.toLowerCase()}`,
    ),
    leaf("LeaseStatus", "unlocked"),
    leaf("LeaseState", "available"),
    leaf("ServerEncrypted", true),
    leaf("CustomerProvidedKeySha256", meta.encryption.keySha256),
    leaf("EncryptionScope", meta.encryption.scope),
    leaf("TagCount", tagCount === 0 ? undefined : tagCount),
    ...(include.has("immutabilitypolicy") ? writeImmutability(meta) : []),
    ...(include.has("legalhold") ? [leaf("LegalHold", meta.hasLegalHold)] : []),
    ...(include.has("copy") ? writeCopy(meta) : []),
  ];
}

function writeImmutability({ immutability }: BlobMeta): string[] {
  if (immutability === undefined) return [];
  return [
    leaf("ImmutabilityPolicyUntilDate", httpDate(immutability.until)),
    leaf("ImmutabilityPolicyMode", immutability.mode.toLowerCase()),
  ];
}

function writeCopy({ copy }: BlobMeta): string[] {
  if (copy === undefined) return [];
  return [
    leaf("CopyId", copy.id),
    leaf("CopySource", copy.source),
    leaf("CopyStatus", copy.status),
    leaf("CopyProgress", `${copy.copied}/${copy.total}`),
    leaf("CopyCompletionTime", copy.status === "pending" ? undefined : httpDate(copy.completes)),
    leaf("CopyStatusDescription", copy.description),
  ];
}
