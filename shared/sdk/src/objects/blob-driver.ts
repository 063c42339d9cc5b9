import type { Call, ObjectDescription, RecordedChecksum } from "../plugin/index.ts";

/** Checksums that a driver may ask the layers to compute. `none` where the location switched them off. */
export type ChecksumAlgorithm = "crc32" | "crc32c" | "crc64nvme" | "sha1" | "sha256" | "md5" | "none";

/** A checksum in the raw bytes of its algorithm, big-endian for CRCs. */
export interface Checksum {
  readonly algorithm: Exclude<ChecksumAlgorithm, "none">;
  readonly bytes: Uint8Array;
}

/** The service's documented limits. */
export interface BlobLimits {
  /** The smallest size of every part but the last. */
  readonly minPartBytes: number;
  readonly maxPartBytes: number;
  /** Every part but the last is a multiple of it; 1 unless told. */
  readonly partMultipleBytes?: number;
  readonly maxParts: number;
  /** The largest object, in bytes. */
  readonly maxObjectBytes: number;
}

/** A checksum that the store recorded with an object, in a form that the download can compute again. */
export interface StoredChecksum extends Checksum {
  /**
   * `full-object`: over all bytes. Otherwise the algorithm over the concatenated raw checksums of the parts, whose
   * sizes, in order, are these.
   */
  readonly scope: "full-object" | { readonly partSizes: readonly number[] };
}

/** What the first answer of a read tells about the object. */
export interface BlobVersion {
  readonly sizeBytes: number;
  /** Opaque; handed back in {@link BlobRange}, so that a read never mixes two versions. ETag, generation. */
  readonly version: string;
}

/** An inclusive byte range of one version. */
export interface BlobRange {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
  readonly version: string;
}

/** An opened read. */
export interface BlobRead extends BlobVersion {
  /** The recorded checksum as far as this answer tells it; undefined where the store keeps none. */
  readonly checksum: StoredChecksum | undefined;
  /**
   * The bytes as they arrive. Each chunk belongs to the reader for good, since many are held until it is their turn.
   * Leaving the iteration early closes the connection.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/** One finished part of an upload. */
export interface UploadedPart {
  /** 1-based. */
  readonly number: number;
  readonly sizeBytes: number;
  readonly checksum: Checksum | undefined;
  /** What the driver needs to complete the upload: an ETag, a block id. */
  readonly token: string;
}

/** What is known of a whole upload when it is completed. */
export interface CompletedUpload {
  /** In the order of their numbers. */
  readonly parts: readonly UploadedPart[];
  readonly sizeBytes: number;
  /** Over all bytes, for the algorithms that allow it (the CRCs) or with {@link BlobDriver.hashesWholeObject}. */
  readonly checksum: Checksum | undefined;
}

/** An upload of parts. Nothing is visible before complete. */
export interface BlobUpload {
  /**
   * Sends one part, retrying as the SDK does. Parts arrive in any order and in parallel, unless the driver
   * {@link BlobDriver.takesPartsInOrder}; one that failed may be sent again. The body belongs to the caller.
   */
  putPart(number: number, body: Uint8Array, checksum: Checksum | undefined, call: Call): Promise<UploadedPart>;
  /** Makes the object visible. The service (or the driver, from its answer) compares the checksum: `corrupt` otherwise. */
  complete(upload: CompletedUpload, call: Call): Promise<void>;
  /** Leaves nothing. Succeeds when there is nothing left. Is given a call of its own, since the upload's was aborted. */
  abort(call: Call): Promise<void>;
}

/** What a driver knows of an object. */
export interface BlobDescription extends ObjectDescription {
  /** The version in the form of {@link BlobVersion.version}, where {@link ObjectDescription.version} is another. */
  readonly readVersion?: string | undefined;
}

/** One version of an object in another bucket of the same cloud. */
export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly sizeBytes: number;
  /** In the form of {@link BlobVersion.version}. */
  readonly version: string;
  /** What the source's store recorded of it. */
  readonly checksum: RecordedChecksum | undefined;
  /** A URL for a plain GET of the source, for a store that fetches what it copies by one. Never to be logged. */
  sign(ttlSeconds: number, call: Call): Promise<string>;
}

/** One page of a listing. */
export interface BlobPage {
  readonly keys: readonly string[];
  /** Whole, ending with the delimiter. */
  readonly commonPrefixes: readonly string[];
}

/**
 * The smallest useful face of an object store, for one bucket. A driver speaks one cloud's API and nothing else: it
 * translates errors to PluginErrors, leaves parts, parallelism, checksums over the whole and retries beyond the SDK's
 * own to the layers. Keys are non-empty.
 */
export interface BlobDriver {
  readonly limits: BlobLimits;
  /** What the layers compute for puts. */
  readonly checksumAlgorithm: ChecksumAlgorithm;
  /** Whether the layers hash the whole object beside its parts, for an algorithm that cannot combine the parts' hashes. */
  readonly hashesWholeObject?: boolean;
  /** Whether an upload takes one part at a time, in order, as a session that is appended to does. */
  readonly takesPartsInOrder?: boolean;
  /** Whether the store refuses to remove what is held, rather than to hide it below a marker. */
  readonly refusesHeld?: boolean;
  /** The size of the first parts that the location asks for, within the limits; the layers' own choice where absent. */
  readonly firstPartBytes?: number | undefined;

  /** What the store knows of the object; undefined for an absent object (only for that). */
  stat(key: string, call: Call): Promise<BlobDescription | undefined>;

  /**
   * Whether a read of the object compares its bytes with a checksum that was recorded over its parts; absent where it
   * always does. Whoever judges objects must not take a checksum for one that was compared.
   */
  comparesParts?(key: string, description: BlobDescription, call: Call): Promise<boolean>;

  /**
   * Opens the whole object in one request: size, version, recorded checksum, and the body from the first byte. The
   * reader of a large object takes the first part from here and the rest by {@link readRange}.
   * Throws `not-found` for an absent object.
   */
  read(key: string, call: Call): Promise<BlobRead>;

  /**
   * Opens one range of one version. Throws `conflict` when the object is of another version by now, `not-found` when it
   * is gone. Chunks and early leave as in {@link BlobRead.body}.
   */
  readRange(key: string, range: BlobRange, call: Call): Promise<AsyncIterable<Uint8Array>>;

  /** Stores the object in one request. The service compares the checksum: `corrupt` otherwise. */
  put(key: string, body: Uint8Array, checksum: Checksum | undefined, call: Call): Promise<void>;

  /** Starts an upload of parts. */
  startUpload(key: string, call: Call): Promise<BlobUpload>;

  /** Lists page by page, in the store's order. With a delimiter, keys below a common prefix are folded into it. */
  list(query: { readonly prefix: string; readonly delimiter: string | undefined }, call: Call): AsyncIterable<BlobPage>;

  /** Deletes. Succeeds for an absent object. */
  remove(key: string, call: Call): Promise<void>;

  /**
   * Copies an object of another bucket into this one, without its bytes passing through this process, and answers what
   * {@link stat} tells of the copy. Replaces what was there.
   *
   * Copies exactly the version of the source: `conflict` when it is of another one by now, `not-found` when it is gone.
   * The copy is encrypted, tagged and checksummed as the objects that this driver puts; where the store can be told a
   * checksum to verify or to record, it is. It becomes visible whole or not at all, and a failure leaves no parts behind.
   * The driver bounds what it keeps in flight and how long a copy may make no progress; the layers compare size and
   * checksum, and try transient failures again. `unsupported` where this source cannot be copied so: the layers then
   * carry the bytes over, as they do where the method is absent.
   */
  copyFrom?(source: CopySource, key: string, call: Call): Promise<BlobDescription>;

  /** A URL for a plain GET. */
  sign(key: string, ttlSeconds: number, call: Call): Promise<string>;
}
