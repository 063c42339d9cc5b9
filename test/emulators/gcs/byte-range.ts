import { GcsError } from "./gcs-error.ts";

/** A run of bytes of an object. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/** Reads a Range header; undefined where the service ignores it and sends the whole object. */
export function readRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (header === undefined || match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    if (length === 0) throw notSatisfiable(size);
    return { start: size - length, length };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) throw notSatisfiable(size);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return { start, length: end - start + 1 };
}

function notSatisfiable(size: number): GcsError {
  return new GcsError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable", {
    locationType: "header",
    location: "Range",
    headers: { "content-range": `bytes */${size}` },
    xmlCode: "InvalidRange",
  });
}
