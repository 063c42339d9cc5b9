import { createHash } from "node:crypto";

import { createCrc32c } from "../crc.ts";
import { invalid } from "./gcs-error.ts";

/** The hashes of an object, base64. */
export interface Hashes {
  readonly crc32c: string;
  readonly md5Hash: string;
}

/** Computes the hashes of bytes as they come. */
export class HashMeter {
  readonly #crc = createCrc32c();
  readonly #md5 = createHash("md5");

  update(chunk: Buffer): void {
    this.#crc.update(chunk);
    this.#md5.update(chunk);
  }

  /** Ends it. */
  digest(): Hashes {
    return { crc32c: this.#crc.digest().toString("base64"), md5Hash: this.#md5.digest("base64") };
  }
}

/** Reads what a client says of an object's hashes in `x-goog-hash`. */
export function readHashHeader(header: string | undefined): Partial<Hashes> {
  const claims: { crc32c?: string; md5Hash?: string } = {};
  for (const part of (header ?? "").split(",").map((one) => one.trim())) {
    if (part === "") continue;
    const [, name, value = ""] = /^(\w+)=(.*)$/.exec(part) ?? [];
    if (name === "crc32c") claims.crc32c = value;
    else if (name === "md5") claims.md5Hash = value;
    else throw invalid(`Invalid value in x-goog-hash: ${part}`);
  }
  return claims;
}

/** Refuses an object whose bytes are others than the client says. */
export function checkClaims(claims: readonly Partial<Hashes>[], computed: Hashes): void {
  for (const { crc32c, md5Hash } of claims) {
    if (crc32c !== undefined && !isSame(crc32c, computed.crc32c)) {
      throw invalid(`Provided CRC32C "${crc32c}" doesn't match calculated CRC32C "${computed.crc32c}".`);
    }
    if (md5Hash !== undefined && !isSame(md5Hash, computed.md5Hash)) {
      throw invalid(`Provided MD5 hash "${md5Hash}" doesn't match calculated MD5 hash "${computed.md5Hash}".`);
    }
  }
}

function isSame(one: string, other: string): boolean {
  return Buffer.from(one, "base64").equals(Buffer.from(other, "base64"));
}
