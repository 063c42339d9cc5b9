import type { VersionMeta } from "../versioned-files.ts";

/** One block of a committed blob. */
export interface CommittedBlock {
  readonly id: string;
  readonly size: number;
}

/** How a blob is said to be encrypted. The bytes on disk are as they were sent: only the rules are played. */
export interface BlobEncryption {
  readonly scope?: string | undefined;
  /** Base64 SHA-256 of the key that the customer provided. */
  readonly keySha256?: string | undefined;
}

/** The last copy into a blob. */
interface CopyState {
  readonly id: string;
  readonly source: string;
  readonly status: "pending" | "success" | "aborted" | "failed";
  readonly copied: number;
  readonly total: number;
  /** ISO 8601: when a pending copy will have ended, or when it did. */
  readonly completes: string;
  readonly description?: string;
}

/** A time-based retention of a version. */
export interface Immutability {
  readonly mode: "Unlocked" | "Locked";
  /** ISO 8601. */
  readonly until: string;
}

/** Everything about a blob that its writer chose. */
export interface BlobSettings {
  /** The standard headers that come back with the blob, lower-case; content-md5 is the one that was committed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly tier: string;
  readonly isTierInferred: boolean;
  readonly encryption: BlobEncryption;
  readonly immutability?: Immutability | undefined;
  readonly hasLegalHold?: boolean | undefined;
}

/** One version or snapshot of a blob, as kept in meta.json beside its data. */
export interface BlobMeta extends VersionMeta, BlobSettings {
  readonly size: number;
  /** With its quotes, as Azure writes it. */
  readonly etag: string;
  /** ISO 8601. */
  readonly created: string;
  /** ISO 8601. */
  readonly lastModified: string;
  readonly tierChanged?: string | undefined;
  /** The tier to which an archived blob is on its way, and when it gets there. */
  readonly rehydration?: { readonly tier: string; readonly completes: string } | undefined;
  /** Absent for a blob of one request. */
  readonly blocks?: readonly CommittedBlock[] | undefined;
  readonly copy?: CopyState | undefined;
}

/** The version id on disk of blobs in an account without versioning. */
export const unversioned = "current";
