import type { IncomingMessage } from "node:http";

import { BlobError } from "./blob-error.ts";

const prefix = "x-ms-meta-";
const maxBytes = 8 * 1024;

/** Reads the x-ms-meta-* headers; their names keep their case. */
export function readMetadata(request: IncomingMessage): Record<string, string> {
  const metadata = new Map<string, string>();
  let size = 0;
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const header = request.rawHeaders[i] ?? "";
    if (!header.toLowerCase().startsWith(prefix)) continue;
    const name = header.slice(prefix.length);
    const value = request.rawHeaders[i + 1] ?? "";
    if (name === "") throw new BlobError("EmptyMetadataKey");
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new BlobError("InvalidMetadata");
    size += name.length + value.length;
    const before = metadata.get(name);
    metadata.set(name, before === undefined ? value : `${before},${value}`);
  }
  if (size > maxBytes) throw new BlobError("MetadataTooLarge");
  return Object.fromEntries(metadata);
}

/** Writes metadata as headers. */
export function metadataHeaders(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`${prefix}${name}`, value]));
}
