import { byteSize } from "@flotilla/sdk/plugin";

/** A checksum that the location may ask for; `md5` is what remains of `checksumAlgorithm: ""`. */
export type LocationChecksum = "crc32" | "crc32c" | "crc64nvme" | "sha1" | "sha256" | "md5";

/** A key of a Secret. */
export interface SecretReference {
  readonly name: string;
  readonly key: string;
}

const checksumWords = new Map<string, LocationChecksum>([
  ["", "md5"],
  ["CRC32", "crc32"],
  ["CRC32C", "crc32c"],
  ["CRC64NVME", "crc64nvme"],
  ["SHA1", "sha1"],
  ["SHA256", "sha256"],
]);

// The official plugin takes any word of its SDK's enumeration, which grew by these.
const unsupportedWords = new Set(["SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"]);

const maxTags = 10;
const maxTagKeyLength = 128;
const maxTagValueLength = 256;
const minMemoryBytes = 16 * 1024 ** 2;

/** Reads `checksumAlgorithm`, in the words of S3. */
export function parseChecksumAlgorithm(value: string): LocationChecksum {
  const algorithm = checksumWords.get(value);
  if (algorithm !== undefined) return algorithm;
  throw new Error(unsupportedWords.has(value) ? `${value} is not supported` : "not a checksum algorithm");
}

/** Reads `secret/key`. */
export function parseSecretReference(value: string): SecretReference {
  const [name = "", key = "", ...rest] = value.split("/");
  if (name === "" || key === "" || rest.length > 0) throw new Error("not a Secret's name and a key of it");
  return { name, key };
}

/** Checks `tagging` by S3's rules and answers it in the form of the x-amz-tagging header. */
export function parseTagging(value: string): string {
  const tags = value.split("&").map(parseTag);
  if (tags.length > maxTags) throw new Error(`${tags.length} tags, S3 allows ${maxTags}`);
  if (new Set(tags.map((tag) => tag.key)).size < tags.length) throw new Error("a tag is given twice");
  // Already encoded text stays as it was written; only what a header cannot carry is encoded.
  return value.replaceAll(/[^\u0021-\u007e]+/gu, (odd) => encodeURIComponent(odd));
}

/** Reads `memoryLimit`. */
export function parseMemoryLimit(value: string): number {
  const bytes = byteSize("").parse(value) ?? 0;
  if (bytes < minMemoryBytes) throw new Error("less than 16Mi");
  return bytes;
}

function parseTag(pair: string): { readonly key: string; readonly value: string } {
  const [rawKey = "", rawValue, ...rest] = pair.split("=");
  if (rawKey === "" || rawValue === undefined || rest.length > 0) throw new Error("a tag is not of the form Key=Value");
  const [key, value] = [decodeTagText(rawKey), decodeTagText(rawValue)];
  if (key.length > maxTagKeyLength) throw new Error(`a tag's key has more than ${maxTagKeyLength} characters`);
  if (value.length > maxTagValueLength) throw new Error(`a tag's value has more than ${maxTagValueLength} characters`);
  return { key, value };
}

function decodeTagText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // A stray percent sign: S3 decides what it means.
    return text;
  }
}
