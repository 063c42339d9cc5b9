import type { Checksum } from "./checksums.ts";

/** How an object is said to be encrypted. The bytes on disk are as they were sent: only the rules are played. */
export type Encryption =
  | { readonly kind: "AES256" }
  | {
      readonly kind: "aws:kms" | "aws:kms:dsse";
      readonly keyId: string;
      readonly context?: string;
      readonly isBucketKey?: boolean;
    }
  /** `proof` recognises the customer's key without being it. */
  | { readonly kind: "customer"; readonly keyMd5: string; readonly salt: string; readonly proof: string };

/** A retention that protects a version. */
export interface Retention {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  /** ISO 8601. */
  readonly until: string;
}

/** One part of an object that was uploaded in parts. */
interface ObjectPart {
  readonly partNumber: number;
  readonly size: number;
  readonly checksum?: string | undefined;
}

/** Everything about an object that its writer chose. */
export interface ObjectAttributes {
  /** The standard headers that come back with the object, lower-case. */
  readonly headers: Readonly<Record<string, string>>;
  /** x-amz-meta-*, without that prefix. */
  readonly userMetadata: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly encryption: Encryption;
  readonly retention?: Retention | undefined;
  readonly legalHold?: boolean | undefined;
}

/** One version of a key, as kept in meta.json beside its data. */
export interface ObjectMeta extends ObjectAttributes {
  readonly key: string;
  /** "null" where the bucket was not versioned when it was written. */
  readonly versionId: string;
  /** Orders the versions; grows with every write. */
  readonly sequence: number;
  /** ISO 8601. */
  readonly lastModified: string;
  readonly isDeleteMarker?: boolean;
  readonly size: number;
  /** Without the quotes. */
  readonly etag: string;
  readonly checksum?: Checksum | undefined;
  readonly parts?: readonly ObjectPart[] | undefined;
  readonly owner: string;
}
