import { byteSize, parseObjectTags } from "@flotilla/sdk/plugin";

/** A checksum that the location may ask for; `md5` is what remains of `checksumAlgorithm: ""`. */
export type LocationChecksum = "crc32" | "crc32c" | "crc64nvme" | "sha1" | "sha256" | "md5";

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

/** Reads `checksumAlgorithm`, in the words of S3. */
export function parseChecksumAlgorithm(value: string): LocationChecksum {
  const algorithm = checksumWords.get(value);
  if (algorithm !== undefined) return algorithm;
  throw new Error(unsupportedWords.has(value) ? `${value} is not supported` : "not a checksum algorithm");
}

// The ARN of such an access point names no region: its requests are signed for all of them, by version 4A.
const multiRegionAccessPoint = /^arn:[^:]*:s3::\d*:accesspoint[:/]/;

/** Reads `bucket`: a name, or the ARN of an access point of one bucket. */
export function parseBucket(value: string): string {
  if (multiRegionAccessPoint.test(value))
    throw new Error("a Multi-Region Access Point is not supported; name one of its buckets");
  return value;
}

/** Checks `tagging` by S3's rules and answers it in the form of the x-amz-tagging header. */
export function parseTagging(value: string): string {
  parseObjectTags(value);
  // Already encoded text stays as it was written; only what a header cannot carry is encoded.
  return value.replaceAll(/[^\u0021-\u007e]+/gu, (odd) => encodeURIComponent(odd));
}

/** Reads the id of an AWS account. */
export function parseAccountId(value: string): string {
  if (!/^\d{12}$/.test(value)) throw new Error("not an account id");
  return value;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html, and the smallest part that can be copied.
const largestCopyBytes = 5 * 1024 ** 3;
const smallestPartBytes = 5 * 1024 ** 2;

/** Reads `copyCutoff`. */
export function parseCopyCutoff(value: string): number {
  const bytes = byteSize("").parse(value) ?? 0;
  if (bytes < smallestPartBytes || bytes > largestCopyBytes) throw new Error("not between 5Mi and 5Gi");
  return bytes;
}

// https://docs.aws.amazon.com/ebs/latest/userguide/time-based-copies.html
const completionStepMinutes = 15;
const maxCompletionMinutes = 48 * 60;

/** Reads `copyCompletionMinutes`, by EBS's rules for time-based copies. */
export function parseCompletionMinutes(value: string): number {
  const minutes = /^\d+$/.test(value) ? Number(value) : 0;
  if (minutes < completionStepMinutes || minutes > maxCompletionMinutes) throw new Error("out of range");
  if (minutes % completionStepMinutes !== 0) throw new Error("not a multiple of 15");
  return minutes;
}
