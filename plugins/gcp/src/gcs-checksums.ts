import { isSameChecksum, printChecksum } from "@flotilla/sdk/objects";
import type { Checksum, StoredChecksum } from "@flotilla/sdk/objects";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Attempt } from "./errors.ts";

type Fields = Readonly<Record<string, unknown>>;

const crcBytes = 4;

/** The checksum of the whole object in a header of a read, in the contract's form. */
export function checksumOfHeader(header: string | readonly string[] | undefined): StoredChecksum | undefined {
  const text = typeof header === "string" ? header : (header ?? []).join(",");
  const [, value] = /(?:^|,)\s*crc32c=([A-Za-z0-9+/]+=*)/.exec(text) ?? [];
  return storedCrc(value);
}

/** The checksum in an object's metadata. */
export function checksumOfMetadata({ crc32c }: Fields): StoredChecksum | undefined {
  return storedCrc(typeof crc32c === "string" ? crc32c : undefined);
}

/** The header of the request that ends an upload: the store compares it, and keeps nothing where it differs. */
export function hashHeader(checksum: Checksum | undefined): Readonly<Record<string, string>> {
  return checksum === undefined ? {} : { "x-goog-hash": `crc32c=${printChecksum(checksum)}` };
}

/** Whether metadata are of an object with exactly these bytes. */
export function isSameObject(metadata: Fields, sizeBytes: number, checksum: Checksum | undefined): boolean {
  const stored = checksumOfMetadata(metadata);
  if (checksum === undefined || stored === undefined) return false;
  return Number(metadata["size"]) === sizeBytes && isSameChecksum(stored, checksum);
}

/** Compares what the store says it kept: a store that passes over the checksum of a request tells it here. */
export function requireKept(
  metadata: Fields,
  sizeBytes: number,
  checksum: Checksum | undefined,
  { action }: Attempt,
): void {
  const stored = checksumOfMetadata(metadata);
  const isSameSize = Number(metadata["size"]) === sizeBytes;
  if (isSameSize && (checksum === undefined || stored === undefined || isSameChecksum(stored, checksum))) return;
  const kept = isSameSize ? `a crc32c of ${String(metadata["crc32c"])}` : `${String(metadata["size"])} bytes`;
  const sent = isSameSize && checksum !== undefined ? printChecksum(checksum) : `${sizeBytes}`;
  throw new PluginError(
    `${action}: the store kept ${kept} where ${sent} was sent; check what stands between the plugin and the store, and delete the object`,
    { kind: "corrupt" },
  );
}

function storedCrc(value: string | undefined): StoredChecksum | undefined {
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value, "base64");
  return bytes.byteLength === crcBytes ? { algorithm: "crc32c", bytes, scope: "full-object" } : undefined;
}
