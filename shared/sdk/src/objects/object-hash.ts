import { createHash } from "node:crypto";
import type { Checksum, ChecksumAlgorithm } from "./blob-driver.ts";
import type { RunningChecksum } from "./checksum.ts";

/** An algorithm whose sum over the whole cannot be told from the sums over the parts. */
export type HashAlgorithm = "sha1" | "sha256" | "md5";

/** Whether an algorithm is one of these. */
export function isHash(algorithm: ChecksumAlgorithm): algorithm is HashAlgorithm {
  return algorithm === "md5" || algorithm === "sha1" || algorithm === "sha256";
}

/**
 * Hashes the parts of an upload and the whole object in one pass. The first part is the whole so far, so that an object
 * of one part is hashed once.
 */
export class ObjectHash implements RunningChecksum {
  readonly #algorithm: HashAlgorithm;
  readonly #whole;
  #part: ReturnType<typeof createHash> | undefined;

  constructor(algorithm: HashAlgorithm) {
    this.#algorithm = algorithm;
    this.#whole = createHash(algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#whole.update(bytes);
    this.#part?.update(bytes);
  }

  /** The hash of the part that ends here. */
  digest(): Checksum {
    const bytes = this.#part === undefined ? this.#whole.copy().digest() : this.#part.digest();
    this.#part = createHash(this.#algorithm);
    return { algorithm: this.#algorithm, bytes };
  }

  /** The hash of all bytes so far. */
  digestWhole(): Checksum {
    return { algorithm: this.#algorithm, bytes: this.#whole.copy().digest() };
  }
}
