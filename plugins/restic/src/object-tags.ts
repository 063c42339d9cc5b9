import { ownDomain } from "@flotilla/sdk/plugin";
import type { ObjectRef } from "@flotilla/sdk/plugin";

/** What an object's bytes are. */
export interface ObjectContent {
  readonly sizeBytes: number;
  readonly sha256: Buffer;
}

/** One version of an object, as its record says it. */
export interface ObjectRecord extends ObjectRef {
  /** Of this version; its data carries it, too. */
  readonly upload: string;
  /** The highest of an object's versions counts: milliseconds since 1970, or one more than the version before. */
  readonly order: number;
  /** What the data is; undefined where the record says that the object was deleted. */
  readonly content: ObjectContent | undefined;
}

const names = {
  data: `${ownDomain}/data`,
  object: `${ownDomain}/object`,
  deleted: `${ownDomain}/deleted`,
  bucket: `${ownDomain}/bucket`,
  key: `${ownDomain}/key`,
  order: `${ownDomain}/order`,
  size: `${ownDomain}/size`,
  sha256: `${ownDomain}/sha256`,
  volume: `${ownDomain}/volume-`,
} as const;

/** The tags of the snapshot that holds an object's bytes. Alone, it is an upload that never became an object. */
export function dataTags({ bucket, key }: ObjectRef, upload: string): readonly string[] {
  return [`${names.data}=${upload}`, `${names.bucket}=${encodeTag(bucket)}`, `${names.key}=${encodeTag(key)}`];
}

/** The tags of a snapshot that is both the data and its record: it shows the object where it is as long as it says. */
export function wholeTags(record: ObjectRecord): readonly string[] {
  return [`${names.data}=${record.upload}`, ...recordTags(record)];
}

/** The tags of the snapshot that makes the data visible as an object, or says that the object is no more. */
export function recordTags({ bucket, key, upload, order, content }: ObjectRecord): readonly string[] {
  return [
    `${content === undefined ? names.deleted : names.object}=${upload}`,
    `${names.bucket}=${encodeTag(bucket)}`,
    `${names.key}=${encodeTag(key)}`,
    `${names.order}=${order}`,
    ...(content === undefined
      ? []
      : [`${names.size}=${content.sizeBytes}`, `${names.sha256}=${content.sha256.toString("hex")}`]),
  ];
}

/** What a snapshot of this plugin is, by its tags; undefined for all others. */
export type TaggedSnapshot =
  | { readonly kind: "data"; readonly upload: string }
  | { readonly kind: "record"; readonly record: ObjectRecord; readonly holdsData: boolean };

/** Reads the tags of a snapshot. */
export function parseTags(tags: readonly string[]): TaggedSnapshot | undefined {
  // A volume's snapshot has the labels of its backup besides, whatever they are called.
  if (tags.some((tag) => tag.startsWith(names.volume))) return undefined;
  const values = new Map(
    tags.flatMap((tag) => {
      const at = tag.indexOf("=");
      return at > 0 ? [[tag.slice(0, at), tag.slice(at + 1)] as const] : [];
    }),
  );
  const data = values.get(names.data);
  const object = values.get(names.object);
  if (data !== undefined && object === undefined) return { kind: "data", upload: data };
  const upload = object ?? values.get(names.deleted);
  const bucket = decodeTag(values.get(names.bucket));
  const key = decodeTag(values.get(names.key));
  const order = count(values.get(names.order));
  if (upload === undefined || bucket === undefined || key === undefined || order === undefined) return undefined;
  if (object === undefined)
    return { kind: "record", record: { bucket, key, upload, order, content: undefined }, holdsData: false };
  const sizeBytes = count(values.get(names.size));
  const sha256 = Buffer.from(values.get(names.sha256) ?? "", "hex");
  if (sizeBytes === undefined || sha256.length !== 32) return undefined;
  const record = { bucket, key, upload, order, content: { sizeBytes, sha256 } };
  return { kind: "record", record, holdsData: data === upload };
}

/** restic cuts tags at commas; slashes stay, so that people can read the key. */
function encodeTag(text: string): string {
  return encodeURIComponent(text).replaceAll("%2F", "/");
}

function decodeTag(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function count(text: string | undefined): number | undefined {
  const value = /^\d{1,16}$/.test(text ?? "") ? Number(text) : undefined;
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}
