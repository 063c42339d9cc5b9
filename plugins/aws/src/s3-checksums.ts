import { checksumOf } from "@flotilla/sdk/objects";
import type { Checksum, StoredChecksum, UploadedPart } from "@flotilla/sdk/objects";
import type { RecordedChecksum } from "@flotilla/sdk/plugin";
import type { LocationChecksum } from "./config-values.ts";

/** The checksum fields of S3's requests and answers. */
export interface ChecksumFields {
  readonly ChecksumCRC32?: string | undefined;
  readonly ChecksumCRC32C?: string | undefined;
  readonly ChecksumCRC64NVME?: string | undefined;
  readonly ChecksumSHA1?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
}

/** What an answer tells about an object's checksum, its ETag included. */
export interface ChecksumAnswer extends ChecksumFields {
  readonly ETag?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
}

/** A recorded checksum before it is known of which sizes the parts of a composite one are. */
export interface RecordedBytes extends Checksum {
  /** Undefined for a checksum over the whole object. */
  readonly partCount: number | undefined;
}

const fields = [
  ["ChecksumCRC64NVME", "crc64nvme", "CRC64NVME"],
  ["ChecksumCRC32", "crc32", "CRC32"],
  ["ChecksumCRC32C", "crc32c", "CRC32C"],
  ["ChecksumSHA256", "sha256", "SHA256"],
  ["ChecksumSHA1", "sha1", "SHA1"],
] as const;

/** S3's word for an algorithm; undefined for MD5, which is no checksum of its own there. */
export function s3AlgorithmName(algorithm: LocationChecksum): (typeof fields)[number][2] | undefined {
  return fields.find(([, own]) => own === algorithm)?.[2];
}

/** Whether S3 keeps this algorithm over the whole of a multipart object; the others it keeps over the parts' only. */
export function isFullObjectAlgorithm(algorithm: LocationChecksum): boolean {
  return algorithm === "crc32" || algorithm === "crc32c" || algorithm === "crc64nvme";
}

/** The request fields that carry a checksum of an object or a part. */
export function checksumFields(checksum: Checksum | undefined): ChecksumFields & { readonly ContentMD5?: string } {
  if (checksum === undefined) return {};
  const value = Buffer.from(checksum.bytes).toString("base64");
  if (checksum.algorithm === "md5") return { ContentMD5: value };
  const field = fields.find(([, own]) => own === checksum.algorithm);
  return field === undefined ? {} : { [field[0]]: value };
}

/** The checksum of one algorithm in an answer; for MD5 the ETag, where it is one. */
export function answeredChecksum(answer: ChecksumAnswer, algorithm: string, isAws: boolean): RecordedBytes | undefined {
  if (algorithm === "md5") return md5OfEtag(answer, isAws);
  const field = fields.find(([, own]) => own === algorithm);
  return field === undefined ? undefined : parseField(field[1], answer[field[0]]);
}

/** The best checksum in an answer: one that S3 keeps, else the ETag, where it is an MD5. */
export function recordedChecksum(answer: ChecksumAnswer, isAws: boolean): RecordedBytes | undefined {
  for (const [name, algorithm] of fields) {
    const recorded = parseField(algorithm, answer[name]);
    if (recorded !== undefined) return recorded;
  }
  return md5OfEtag(answer, isAws);
}

/** The checksum that S3 computes over the parts' checksums. */
export async function compositeOf(
  algorithm: Checksum["algorithm"],
  parts: readonly UploadedPart[],
): Promise<RecordedBytes | undefined> {
  const raw = parts.flatMap((part) => (part.checksum?.algorithm === algorithm ? [part.checksum.bytes] : []));
  if (raw.length !== parts.length) return undefined;
  return { ...(await checksumOf(algorithm, Buffer.concat(raw))), partCount: parts.length };
}

/** Whether both are the same value over the same kind of structure. */
export function isSameRecord(a: RecordedBytes, b: RecordedBytes): boolean {
  return a.algorithm === b.algorithm && a.partCount === b.partCount && Buffer.compare(a.bytes, b.bytes) === 0;
}

/** In the contract's form for descriptions. */
export function describeChecksum(recorded: RecordedBytes): RecordedChecksum {
  const suffix = recorded.partCount === undefined ? "" : `-${recorded.partCount}`;
  const value = Buffer.from(recorded.bytes).toString(recorded.algorithm === "md5" ? "hex" : "base64");
  return {
    algorithm: recorded.algorithm,
    value: `${value}${suffix}`,
    scope: recorded.partCount === undefined ? "full-object" : "composite",
  };
}

/** Whether two descriptions are of one form and tell different values. */
export function isOtherRecord(a: RecordedChecksum, b: RecordedChecksum | undefined): boolean {
  return a.algorithm === b?.algorithm && a.scope === b.scope && a.value !== b.value;
}

/** In the contract's form for reads, once the sizes of the parts are known. */
export function storedChecksum(
  recorded: RecordedBytes,
  partSizes: readonly number[] | undefined,
): StoredChecksum | undefined {
  const { algorithm, bytes } = recorded;
  if (recorded.partCount === undefined) return { algorithm, bytes, scope: "full-object" };
  return partSizes === undefined ? undefined : { algorithm, bytes, scope: { partSizes } };
}

function parseField(algorithm: Checksum["algorithm"], text: string | undefined): RecordedBytes | undefined {
  const match = /^([A-Za-z0-9+/]+={0,2})(?:-(\d+))?$/.exec(text ?? "");
  if (match === null) return undefined;
  const partCount = match[2] === undefined ? undefined : Number(match[2]);
  return { algorithm, bytes: Buffer.from(match[1] ?? "", "base64"), partCount };
}

/**
 * S3 documents the ETag as the MD5 of an object in plaintext or under SSE-S3, and as the MD5 of the parts' MD5s for a
 * multipart one. S3-compatible stores keep to the first; the second is their own affair.
 */
function md5OfEtag(answer: ChecksumAnswer, isAws: boolean): RecordedBytes | undefined {
  const isPlain = answer.ServerSideEncryption === undefined || answer.ServerSideEncryption === "AES256";
  const match = /^"?([0-9a-f]{32})(?:-(\d+))?"?$/.exec(answer.ETag ?? "");
  if (!isPlain || answer.SSECustomerAlgorithm !== undefined || match === null) return undefined;
  if (match[2] !== undefined && !isAws) return undefined;
  const partCount = match[2] === undefined ? undefined : Number(match[2]);
  return { algorithm: "md5", bytes: Buffer.from(match[1] ?? "", "hex"), partCount };
}
