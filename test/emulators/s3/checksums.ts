import { createHash } from "node:crypto";

import { combineCrcs, crc32cKind, crc32Kind, crc64NvmeKind } from "./crc-combine.ts";
import type { CrcKind } from "./crc-combine.ts";
import { createCrc32, createCrc32c, createCrc64Nvme } from "../crc.ts";
import { S3Error } from "./s3-error.ts";

/** The checksum algorithms of S3. */
export type Algorithm = "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256";

/** Whether a multipart checksum covers the object, or is the checksum of the parts' checksums. */
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** A checksum as it is stored and returned; a composite one ends in `-<number of parts>`. */
export interface Checksum {
  readonly algorithm: Algorithm;
  readonly type: ChecksumType;
  readonly value: string;
}

/** A digest that is fed in pieces. */
export interface Digest {
  update(chunk: Uint8Array): unknown;
  digest(): Buffer;
}

interface Properties {
  readonly bytes: number;
  readonly create: () => Digest;
  readonly types: readonly [ChecksumType, ...ChecksumType[]];
  readonly crc?: CrcKind;
}

const properties: Readonly<Record<Algorithm, Properties>> = {
  CRC32: { bytes: 4, create: createCrc32, types: ["COMPOSITE", "FULL_OBJECT"], crc: crc32Kind },
  CRC32C: { bytes: 4, create: createCrc32c, types: ["COMPOSITE", "FULL_OBJECT"], crc: crc32cKind },
  CRC64NVME: { bytes: 8, create: createCrc64Nvme, types: ["FULL_OBJECT"], crc: crc64NvmeKind },
  SHA1: { bytes: 20, create: () => createHash("sha1"), types: ["COMPOSITE"] },
  SHA256: { bytes: 32, create: () => createHash("sha256"), types: ["COMPOSITE"] },
};

/** All algorithms, in the order of the API reference. */
export const algorithms = Object.keys(properties) as readonly Algorithm[];

/** Returns the header that carries a checksum of an algorithm. */
export function checksumHeader(algorithm: Algorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** Returns the XML element that carries a checksum of an algorithm. */
export function checksumElement(algorithm: Algorithm): string {
  return `Checksum${algorithm}`;
}

/** Starts a digest. */
export function createDigest(algorithm: Algorithm): Digest {
  return properties[algorithm].create();
}

/** Reads the name of an algorithm from a header such as x-amz-checksum-algorithm. */
export function parseAlgorithm(name: string): Algorithm {
  const found = algorithms.find((algorithm) => algorithm === name.toUpperCase());
  if (found !== undefined) return found;
  throw new S3Error(
    "InvalidRequest",
    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
  );
}

/** Settles the checksum type of a multipart upload. */
export function chooseType(algorithm: Algorithm, wanted: string | undefined): ChecksumType {
  const { types } = properties[algorithm];
  const type = wanted === undefined ? types[0] : types.find((known) => known === wanted);
  if (type !== undefined) return type;
  if (wanted !== "FULL_OBJECT" && wanted !== "COMPOSITE") {
    throw new S3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.");
  }
  throw new S3Error(
    "InvalidRequest",
    `The ${wanted} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  );
}

/** Finds the one checksum that the headers carry. */
export function checksumInHeaders(
  headers: ReadonlyMap<string, string>,
): { readonly algorithm: Algorithm; readonly value: string } | undefined {
  const found = algorithms.flatMap((algorithm) => {
    const value = headers.get(checksumHeader(algorithm));
    return value === undefined ? [] : [{ algorithm, value }];
  });
  const [first, ...others] = found;
  if (others.length > 0) {
    throw new S3Error(
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  }
  if (first !== undefined) checkForm(first.algorithm, first.value);
  return first;
}

/** Refuses a value that is not the base64 of so many bytes. */
export function checkForm(algorithm: Algorithm, value: string): void {
  const bytes = Buffer.from(value, "base64");
  if (bytes.length === properties[algorithm].bytes && bytes.toString("base64") === value) return;
  throw new S3Error("InvalidRequest", `Value for ${checksumHeader(algorithm)} header is invalid.`);
}

/** Returns the error of a checksum that does not agree with the bytes received. */
export function badChecksum(algorithm: Algorithm): S3Error {
  return new S3Error("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`);
}

/** Computes the checksum of a multipart object from those of its parts. */
export function combineChecksums(
  algorithm: Algorithm,
  type: ChecksumType,
  parts: readonly { readonly value: string; readonly size: number }[],
): Checksum {
  const { crc } = properties[algorithm];
  if (type === "FULL_OBJECT" && crc !== undefined) {
    const crcs = parts.map(({ value, size }) => ({ crc: Buffer.from(value, "base64"), size }));
    return { algorithm, type, value: combineCrcs(crc, crcs).toString("base64") };
  }
  const digest = createDigest(algorithm);
  for (const { value } of parts) digest.update(Buffer.from(value, "base64"));
  return { algorithm, type: "COMPOSITE", value: `${digest.digest().toString("base64")}-${parts.length}` };
}
