import { createHash } from "node:crypto";

import { createCrc64Nvme } from "../crc.ts";
import { BlobError, invalidHeader } from "./blob-error.ts";

/** What a client says about the bytes that it sends. */
export interface ChecksumClaims {
  /** Base64; each must be right. */
  readonly md5s: readonly string[];
  readonly crc64: string | undefined;
}

/** Checksums of bytes that have gone by, in base64; undefined where not computed. */
export interface Checksums {
  readonly md5: string | undefined;
  readonly crc64: string | undefined;
}

/** Reads the transactional checksums of a request, and where a body becomes a blob's content also the blob's own MD5. */
export function readClaims(headers: ReadonlyMap<string, string>, isWholeBlob: boolean): ChecksumClaims {
  const md5 = headers.get("content-md5");
  const crc64 = headers.get("x-ms-content-crc64");
  if (md5 !== undefined && crc64 !== undefined) throw new BlobError("BothCrc64AndMd5HeaderPresent");
  const own = isWholeBlob ? headers.get("x-ms-blob-content-md5") : undefined;
  const md5s = [md5, own].filter((value) => value !== undefined);
  for (const value of md5s) checkMd5Form(value);
  if (crc64 !== undefined && !isBase64Of(8, crc64)) throw invalidHeader("x-ms-content-crc64", crc64);
  return { md5s, crc64 };
}

/** Refuses a text that is not the base64 of an MD5. */
export function checkMd5Form(value: string): void {
  if (!isBase64Of(16, value)) throw new BlobError("InvalidMd5");
}

/** Feeds bytes to the checksums that are wanted. */
export class ChecksumMeter {
  readonly #md5: ReturnType<typeof createHash> | undefined;
  readonly #crc64: ReturnType<typeof createCrc64Nvme> | undefined;

  constructor(wanted: { readonly md5: boolean; readonly crc64: boolean }) {
    this.#md5 = wanted.md5 ? createHash("md5") : undefined;
    this.#crc64 = wanted.crc64 ? createCrc64Nvme() : undefined;
  }

  update(chunk: Buffer): void {
    this.#md5?.update(chunk);
    this.#crc64?.update(chunk);
  }

  digest(): Checksums {
    return {
      md5: this.#md5?.digest("base64"),
      // The same CRC as NVMe's, which Azure writes with its lowest byte first.
      crc64: littleEndian(this.#crc64?.digest()),
    };
  }
}

/** Compares what the client said with what came. */
export function checkClaims(claims: ChecksumClaims, computed: Checksums): void {
  for (const claimed of claims.md5s) {
    if (claimed === computed.md5) continue;
    throw new BlobError("Md5Mismatch", {
      UserSpecifiedMd5: claimed,
      ServerCalculatedMd5: computed.md5 ?? "",
    });
  }
  if (claims.crc64 === undefined || claims.crc64 === computed.crc64) return;
  throw new BlobError("Crc64Mismatch", {
    UserSpecifiedCrc: claims.crc64,
    ServerCalculatedCrc: computed.crc64 ?? "",
  });
}

function littleEndian(bytes: Buffer | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes.toReversed()).toString("base64");
}

function isBase64Of(length: number, value: string): boolean {
  const bytes = Buffer.from(value, "base64");
  return bytes.length === length && bytes.toString("base64") === value;
}
