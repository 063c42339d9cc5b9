import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { combineCrcs, crcModels } from "./crc-combine.ts";
import type { Checksum, ChecksumAlgorithm } from "./blob-driver.ts";

/** An algorithm that computes something. */
export type ComputedAlgorithm = Exclude<ChecksumAlgorithm, "none">;

/** A checksum over bytes as they pass. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  /** The checksum of the bytes since the last digest, which the next update starts anew. */
  digest(): Checksum;
}

/** Starts a checksum. What computes it is loaded at its first use. */
export async function createChecksum(algorithm: ComputedAlgorithm): Promise<RunningChecksum> {
  if (algorithm === "crc32") return runningCrc32();
  if (algorithm === "crc32c" || algorithm === "crc64nvme") return await runningFoldedCrc(algorithm);
  return runningHash(algorithm);
}

/** Computes the checksum of bytes at hand. */
export async function checksumOf(algorithm: ComputedAlgorithm, bytes: Uint8Array): Promise<Checksum> {
  const running = await createChecksum(algorithm);
  running.update(bytes);
  return running.digest();
}

/**
 * The checksum of two byte strings in a row, where the algorithm allows to tell it from theirs: the CRCs. Undefined for
 * all others.
 */
export function combineChecksums(first: Checksum, second: Checksum, secondBytes: number): Checksum | undefined {
  const { algorithm } = first;
  if (!isCrc(algorithm) || second.algorithm !== algorithm) return undefined;
  const model = crcModels[algorithm];
  const combined = combineCrcs(model, toBigint(first.bytes), toBigint(second.bytes), secondBytes);
  return { algorithm, bytes: Buffer.from(combined.toString(16).padStart(model.bits / 4, "0"), "hex") };
}

/** Prints a checksum as services do: in base64. */
export function printChecksum(checksum: Checksum): string {
  return Buffer.from(checksum.bytes).toString("base64");
}

/** Whether two checksums are of the same algorithm and value. */
export function isSameChecksum(a: Checksum, b: Checksum): boolean {
  return a.algorithm === b.algorithm && Buffer.compare(a.bytes, b.bytes) === 0;
}

function isCrc(algorithm: ComputedAlgorithm): algorithm is keyof typeof crcModels {
  return Object.hasOwn(crcModels, algorithm);
}

function toBigint(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function runningCrc32(): RunningChecksum {
  let value = 0;
  return {
    update: (bytes) => {
      value = crc32(bytes, value);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      value = 0;
      return { algorithm: "crc32", bytes };
    },
  };
}

async function runningFoldedCrc(algorithm: "crc32c" | "crc64nvme"): Promise<RunningChecksum> {
  const { createFoldedCrc } = await import("./folded-crc.ts");
  const crc = createFoldedCrc(crcModels[algorithm]);
  return {
    update: (bytes) => crc.update(bytes),
    digest: () => ({ algorithm, bytes: crc.digest() }),
  };
}

function runningHash(algorithm: "sha1" | "sha256" | "md5"): RunningChecksum {
  let hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => {
      const bytes = hash.digest();
      hash = createHash(algorithm);
      return { algorithm, bytes };
    },
  };
}
