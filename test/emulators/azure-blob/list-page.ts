import { BlobError, invalidQuery } from "./blob-error.ts";
import type { Call } from "./call.ts";

/** The most that a client may ask for, and what it gets where it asks for nothing. */
export const maxPage = 5000;

/** Reads how many entries a page may have. */
export function readPageSize(call: Call): number {
  const text = call.query.get("maxresults");
  const { pageSize } = call.state.settings;
  if (text === undefined) return pageSize;
  if (!/^\d+$/.test(text)) throw invalidQuery("maxresults", text);
  const size = Number(text);
  if (size >= 1) return Math.min(size, pageSize);
  throw new BlobError("OutOfRangeQueryParameterValue", {
    QueryParameterName: "maxresults",
    QueryParameterValue: text,
    MinimumAllowed: "1",
    MaximumAllowed: String(maxPage),
  });
}

/** Makes the marker at which the next page begins; opaque for clients. */
export function encodeMarker(last: string): string {
  return `2!${Buffer.from(last).toString("base64url")}`;
}

/** Reads a marker that encodeMarker made. */
export function decodeMarker(marker: string): string {
  const last = Buffer.from(marker.slice(2), "base64url").toString("utf8");
  if (encodeMarker(last) !== marker) throw invalidQuery("marker", marker);
  return last;
}
