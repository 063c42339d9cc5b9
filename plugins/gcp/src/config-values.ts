/** What `snapshotType` may say. */
export type SnapshotType = "STANDARD" | "ARCHIVE";

/** The classes of new objects. */
export const storageClasses = ["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"] as const;

// What libraries append to the endpoint of the JSON API; the official plugin's takes the endpoint with or without it.
const apiPath = /\/storage\/v1\/?$/;

/**
 * Reads `storeEndpoint` as the official plugin does: a URL, with or without the path of the JSON API, or a bare host. The
 * answer is what stands before that path, without a slash at its end.
 */
export function parseStoreEndpoint(value: string): URL {
  const withScheme = value.includes("://") ? value : `https://${value}`;
  if (!URL.canParse(withScheme)) throw new Error("neither a URL nor a host");
  const endpoint = new URL(withScheme);
  if (endpoint.protocol !== "http:" && endpoint.protocol !== "https:") throw new Error("neither http nor https");
  endpoint.pathname = endpoint.pathname.replace(apiPath, "").replace(/\/+$/, "");
  endpoint.search = "";
  endpoint.hash = "";
  return endpoint;
}

/** Reads `universeDomain`. */
export function parseUniverseDomain(value: string): string {
  if (!/^[a-z0-9]([a-z0-9-]*\.)+[a-z0-9-]+$/i.test(value)) throw new Error("not a domain");
  return value.toLowerCase();
}

/** Reads `snapshotType`, in capitals or not, as the official plugin does. */
export function parseSnapshotType(value: string): SnapshotType {
  const type = value.toUpperCase();
  if (type !== "STANDARD" && type !== "ARCHIVE") throw new Error("neither STANDARD nor ARCHIVE");
  return type;
}
