import { openSlice, readOpenSlice } from "../file-slice.ts";
import type { OpenSlice } from "../file-slice.ts";
import { BlobError, invalidHeader } from "./blob-error.ts";
import type { BlobMeta } from "./blob-meta.ts";
import { blobHeaders } from "./blob-settings.ts";
import { ChecksumMeter } from "./checksums.ts";
import { blobNameOf, containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkReadConditions } from "./conditions.ts";
import { checkCustomerKey } from "./encryption.ts";
import { findBlob } from "./find-blob.ts";

// The most bytes of a range whose checksum the service computes.
const maxRangeChecksumBytes = 4 * 1024 ** 2;

/** Get Blob. */
export async function getBlob(call: Call): Promise<Answer> {
  const found = await findBlob(call, containerOf(call), blobNameOf(call), call.query);
  const { meta, path } = found;
  checkReadConditions(call.headers, meta);
  checkCustomerKey(call, meta.encryption);
  if (meta.tier === "Archive") throw new BlobError("BlobArchived");
  const range = readRange(call, meta.size);
  const wanted = wantedChecksums(call);
  const place = { path, start: range?.start ?? 0, length: range?.length ?? meta.size };
  const headers = { ...blobHeaders(meta, found.isCurrent && !found.isSnapshot), ...overrides(call) };
  // Opened at once: a put that comes before the answer is sent must not change what it sends.
  if (range === undefined) return { headers: { ...headers, "content-length": meta.size }, file: openSlice(place) };
  checkRangeChecksum(wanted, place.length);
  const file = openSlice(place);
  const checksum = await rangeChecksum(wanted, file);
  return {
    status: 206,
    headers: {
      ...headers,
      "content-length": range.length,
      "content-range": `bytes ${range.start}-${range.start + range.length - 1}/${meta.size}`,
      // Of a range, Content-MD5 would be that of the range; the blob's own has a header for itself.
      "content-md5": undefined,
      "x-ms-blob-content-md5": meta.headers["content-md5"],
      ...checksum,
    },
    file,
  };
}

/** Get Blob Properties. */
export async function getBlobProperties(call: Call): Promise<Answer> {
  const found = await findBlob(call, containerOf(call), blobNameOf(call), call.query);
  const { meta } = found;
  checkReadConditions(call.headers, meta);
  checkCustomerKey(call, meta.encryption);
  return {
    headers: {
      ...blobHeaders(meta, found.isCurrent && !found.isSnapshot),
      "content-length": meta.size,
      ...tierHeaders(meta),
    },
  };
}

interface Range {
  readonly start: number;
  readonly length: number;
}

function readRange(call: Call, size: number): Range | undefined {
  const name = call.headers.has("x-ms-range") ? "x-ms-range" : "range";
  const text = call.headers.get(name);
  if (text === undefined) return undefined;
  const match = /^bytes=(\d+)-(\d*)$/.exec(text);
  if (match === null) throw invalidHeader(name, text);
  const [, first = "", last = ""] = match;
  const start = Number(first);
  if (last !== "" && Number(last) < start) throw invalidHeader(name, text);
  if (start >= size) throw new BlobError("InvalidRange", {}, { headers: { "content-range": `bytes */${size}` } });
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return { start, length: end - start + 1 };
}

function wantedChecksums(call: Call): readonly string[] {
  return ["md5", "crc64"].filter((name) => isTrue(call, `x-ms-range-get-content-${name}`));
}

function checkRangeChecksum(wanted: readonly string[], length: number): void {
  if (wanted.length > 1 || (wanted.length === 1 && length > maxRangeChecksumBytes)) {
    throw invalidHeader(`x-ms-range-get-content-${wanted[0] ?? ""}`, "true");
  }
}

async function rangeChecksum(wanted: readonly string[], file: OpenSlice): Promise<Record<string, string | undefined>> {
  if (wanted.length === 0) return {};
  const meter = new ChecksumMeter({ md5: wanted.includes("md5"), crc64: wanted.includes("crc64") });
  for await (const chunk of readOpenSlice(file)) meter.update(chunk);
  const { md5, crc64 } = meter.digest();
  return { "content-md5": md5, "x-ms-content-crc64": crc64 };
}

function isTrue(call: Call, header: string): boolean {
  const value = call.headers.get(header);
  if (value?.toLowerCase() !== "true") return false;
  if (!call.headers.has("range") && !call.headers.has("x-ms-range")) throw invalidHeader(header, value);
  return true;
}

function tierHeaders(meta: BlobMeta): Record<string, string | undefined> {
  return {
    "x-ms-access-tier": meta.tier,
    "x-ms-access-tier-inferred": meta.isTierInferred ? "true" : undefined,
    "x-ms-access-tier-change-time":
      meta.tierChanged === undefined ? undefined : new Date(meta.tierChanged).toUTCString(),
    "x-ms-archive-status":
      meta.rehydration === undefined ? undefined : `rehydrate-pending-to-${meta.rehydration.tier.toLowerCase()}`,
  };
}

function overrides(call: Call): Record<string, string> {
  if (call.authorization.kind !== "sas") return {};
  const names = {
    rscc: "cache-control",
    rscd: "content-disposition",
    rsce: "content-encoding",
    rscl: "content-language",
    rsct: "content-type",
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([parameter, header]) => {
      const value = call.query.get(parameter);
      return value === undefined ? [] : [[header, value]];
    }),
  );
}
