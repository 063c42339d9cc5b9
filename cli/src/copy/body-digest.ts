import { createHash } from "node:crypto";

import type { ObjectDescription, RecordedChecksum } from "@flotilla/sdk/plugin";
import type { ComputedAlgorithm, RunningChecksum } from "@flotilla/sdk/objects";

/** A checksum that a store recorded over all bytes of an object, and that can be computed here. */
export interface ComparableChecksum {
  readonly algorithm: ComputedAlgorithm;
  readonly bytes: Uint8Array;
}

// Those of the SDK: one that it comes to know and that is forgotten here does not compile.
const sizes: Readonly<Record<ComputedAlgorithm, number>> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
  md5: 16,
};

/** The recorded checksum of an object where it can be compared with what is computed over its bytes. */
export function comparableChecksum(description: ObjectDescription | undefined): ComparableChecksum | undefined {
  const recorded = description?.checksum;
  if (recorded?.scope !== "full-object" || !isComputed(recorded.algorithm)) return undefined;
  const bytes = bytesOf(recorded);
  // A plugin that prints it in a form of its own has said nothing that could be compared.
  return bytes.length === sizes[recorded.algorithm] ? { algorithm: recorded.algorithm, bytes } : undefined;
}

/** Checksums over a body as it passes: SHA-256 and CRC32, and what else is asked for. */
export class BodyDigest {
  readonly #sha256 = createHash("sha256");
  readonly #checksums: ReadonlyMap<ComputedAlgorithm, RunningChecksum>;
  #sizeBytes = 0;

  private constructor(checksums: ReadonlyMap<ComputedAlgorithm, RunningChecksum>) {
    this.#checksums = checksums;
  }

  /** Begins one that can be compared with these recorded checksums. */
  static async begin(...recorded: readonly (ComparableChecksum | undefined)[]): Promise<BodyDigest> {
    // Not with the program: most commands never compute any.
    const { createChecksum } = await import("@flotilla/sdk/objects");
    const algorithms = new Set<ComputedAlgorithm>(["crc32", ...recorded.flatMap((one) => one?.algorithm ?? [])]);
    algorithms.delete("sha256");
    const running = [...algorithms].map(async (name) => [name, await createChecksum(name)] as const);
    return new BodyDigest(new Map(await Promise.all(running)));
  }

  /** Counts a piece of the body. */
  update(bytes: Uint8Array): void {
    this.#sizeBytes += bytes.length;
    this.#sha256.update(bytes);
    for (const checksum of this.#checksums.values()) checksum.update(bytes);
  }

  /** What came to be, once the body has passed. */
  finish(): FinishedDigest {
    const sha256 = this.#sha256.digest();
    const checksums = [...this.#checksums].map(([name, checksum]) => [name, checksum.digest().bytes] as const);
    return new FinishedDigest(this.#sizeBytes, new Map([...checksums, ["sha256", sha256] as const]));
  }
}

/** What a body came to. */
export class FinishedDigest {
  readonly sizeBytes: number;
  readonly #checksums: ReadonlyMap<ComputedAlgorithm, Uint8Array>;

  constructor(sizeBytes: number, checksums: ReadonlyMap<ComputedAlgorithm, Uint8Array>) {
    this.sizeBytes = sizeBytes;
    this.#checksums = checksums;
  }

  /** In hex, as `sha256sum` prints it. */
  get sha256(): string {
    return this.#print("sha256", "hex");
  }

  /** In base64, as S3 prints it. */
  get crc32(): string {
    return this.#print("crc32", "base64");
  }

  /** Whether another body was the same. */
  isSame(other: FinishedDigest): boolean {
    return this.sizeBytes === other.sizeBytes && this.sha256 === other.sha256;
  }

  /** Whether the recorded checksum is that of this body; undefined where it was not computed. */
  agreesWith(recorded: ComparableChecksum): boolean | undefined {
    const own = this.#checksums.get(recorded.algorithm);
    return own === undefined ? undefined : Buffer.compare(own, recorded.bytes) === 0;
  }

  #print(algorithm: ComputedAlgorithm, encoding: "hex" | "base64"): string {
    return Buffer.from(this.#checksums.get(algorithm) ?? []).toString(encoding);
  }
}

function isComputed(algorithm: string): algorithm is ComputedAlgorithm {
  return Object.hasOwn(sizes, algorithm);
}

/** An MD5 from an ETag is in hex, everything else in base64. */
function bytesOf({ algorithm, value }: RecordedChecksum): Uint8Array {
  return Buffer.from(value, algorithm === "md5" && /^[0-9a-f]{32}$/i.test(value) ? "hex" : "base64");
}
