import type { ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";

/** A run of bytes of an object. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/** Reads a Range header; undefined where S3 ignores it and sends the whole object. */
export function readRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (header === undefined || match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    if (length === 0) throw invalidRange(header, size);
    return { start: size - length, length };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) throw invalidRange(header, size);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return { start, length: end - start + 1 };
}

/** Finds the bytes of a part; an object of one request is its own part 1. */
export function partRange(meta: ObjectMeta, partNumber: string): ByteRange {
  const number = Number(partNumber);
  if (!/^\d+$/.test(partNumber) || number < 1 || number > 10_000) {
    throw new S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  if (meta.parts === undefined && number === 1) return { start: 0, length: meta.size };
  let start = 0;
  for (const part of meta.parts ?? []) {
    if (part.partNumber === number) return { start, length: part.size };
    start += part.size;
  }
  throw new S3Error("InvalidPartNumber", undefined, {
    details: { PartNumberRequested: partNumber, ActualPartCount: String(meta.parts?.length ?? 1) },
  });
}

function invalidRange(header: string, size: number): S3Error {
  return new S3Error("InvalidRange", undefined, {
    details: { RangeRequested: header, ActualObjectSize: String(size) },
    headers: { "content-range": `bytes */${size}` },
  });
}
