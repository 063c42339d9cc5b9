import type { VersionMeta } from "../versioned-files.ts";

/** What a client may set on an object, and change later. */
export interface ObjectSettings {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  readonly customTime?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly temporaryHold?: boolean;
  readonly eventBasedHold?: boolean;
}

/** How an object is encrypted, where it is not by Google's own keys. */
export interface ObjectEncryption {
  readonly kmsKeyName?: string;
  /** The SHA-256 of a key that the customer supplies, base64. */
  readonly keySha256?: string;
}

/** What is kept of a generation of an object; the version id is its generation. */
export interface ObjectMeta extends VersionMeta, ObjectSettings, ObjectEncryption {
  readonly metageneration: number;
  readonly size: number;
  readonly crc32c: string;
  /** Absent for composed objects. */
  readonly md5Hash?: string;
  readonly storageClass: string;
  /** ISO 8601. */
  readonly created: string;
  readonly updated: string;
  readonly deleted?: string;
  readonly componentCount?: number;
  /** From when the bucket's retention counts; the creation, or the release of an event-based hold. */
  readonly retainedFrom?: string;
}

/** Where an object is, for the links in its resource. */
export interface ObjectPlace {
  readonly origin: string;
  readonly bucket: string;
  /** How long the bucket retains objects, in seconds. */
  readonly retentionSeconds: number;
}

/** Returns an object's ETag. */
export function etagOf(meta: ObjectMeta): string {
  return Buffer.from(`${meta.versionId}/${meta.metageneration}`).toString("base64");
}

/** Returns until when the bucket's retention protects an object; undefined while a hold keeps the time from running. */
export function retainedUntil(meta: ObjectMeta, retentionSeconds: number): string | undefined {
  if (retentionSeconds === 0 || meta.eventBasedHold === true) return undefined;
  return new Date(Date.parse(meta.retainedFrom ?? meta.created) + retentionSeconds * 1000).toISOString();
}

/** Writes an object's resource; without its hashes where it is encrypted with a key that was not given. */
export function writeObject(meta: ObjectMeta, place: ObjectPlace, hasKey: boolean): Readonly<Record<string, unknown>> {
  const { key: name, versionId: generation, keySha256 } = meta;
  const path = `${encodeURIComponent(place.bucket)}/o/${encodeURIComponent(name)}`;
  const hashes = keySha256 === undefined || hasKey ? { md5Hash: meta.md5Hash, crc32c: meta.crc32c } : {};
  // JSON leaves out what is undefined.
  return {
    kind: "storage#object",
    id: `${place.bucket}/${name}/${generation}`,
    selfLink: `${place.origin}/storage/v1/b/${path}`,
    mediaLink: `${place.origin}/download/storage/v1/b/${path}?generation=${generation}&alt=media`,
    name,
    bucket: place.bucket,
    generation,
    metageneration: String(meta.metageneration),
    ...settingsOf(meta),
    storageClass: meta.storageClass,
    size: String(meta.size),
    ...hashes,
    etag: etagOf(meta),
    timeCreated: meta.created,
    updated: meta.updated,
    timeStorageClassUpdated: meta.created,
    timeFinalized: meta.created,
    timeDeleted: meta.deleted,
    retentionExpirationTime: retainedUntil(meta, place.retentionSeconds),
    componentCount: meta.componentCount,
    kmsKeyName: meta.kmsKeyName === undefined ? undefined : `${meta.kmsKeyName}/cryptoKeyVersions/1`,
    customerEncryption: keySha256 === undefined ? undefined : { encryptionAlgorithm: "AES256", keySha256 },
  };
}

/** Returns what a client may set. */
export function settingsOf(settings: ObjectSettings): ObjectSettings {
  const names = [
    "contentType",
    "contentEncoding",
    "contentDisposition",
    "contentLanguage",
    "cacheControl",
    "customTime",
    "metadata",
    "temporaryHold",
    "eventBasedHold",
  ] as const;
  return Object.fromEntries(names.map((name) => [name, settings[name]]).filter(([, value]) => value !== undefined));
}
