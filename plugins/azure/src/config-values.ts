import { byteSize, parseObjectTags } from "@flotilla/sdk/plugin";

/** The access tiers in which objects can be read at once. */
export const accessTiers = ["Hot", "Cool", "Cold"] as const;

/** What `blockSizeInBytes` says. */
export interface BlockSize {
  /** Undefined where the value is no usable size: then parts are sized as without the key. */
  readonly bytes: number | undefined;
  /** What is wrong with the value, in words; undefined for a good one. */
  readonly fault: string | undefined;
}

// As the official plugin has it.
const maxConfiguredBlockBytes = 100 * 1024 ** 2;

const maxResourceTags = 50;
const maxResourceTagKeyLength = 512;
const maxResourceTagValueLength = 256;

/** Reads `blockSizeInBytes`. Like the official plugin it never refuses a location: a bad value is told and passed over. */
export function parseBlockSize(value: string): BlockSize {
  const bytes = /^[+-]?\d+$/.test(value) ? Number(value) : NaN;
  if (Number.isNaN(bytes)) return { bytes: undefined, fault: "is not a number of bytes, so it has no effect" };
  if (bytes <= 0) return { bytes: undefined, fault: "is not above 0, so it has no effect" };
  if (bytes > maxConfiguredBlockBytes)
    return { bytes: maxConfiguredBlockBytes, fault: `is above ${maxConfiguredBlockBytes}, which is used instead` };
  return { bytes, fault: undefined };
}

// https://learn.microsoft.com/rest/api/storageservices/put-blob-from-url
const largestCopyBytes = 5000 * 1024 ** 2;
const smallestCutoffBytes = 1024 ** 2;

/** Reads `copyCutoff` of a target. */
export function parseCopyCutoff(value: string): number {
  const bytes = byteSize("").parse(value) ?? 0;
  if (bytes < smallestCutoffBytes || bytes > largestCopyBytes) throw new Error("not between 1Mi and 5000Mi");
  return bytes;
}

/** Reads `tagging`, which become blob index tags. */
export function parseIndexTags(value: string): Readonly<Record<string, string>> {
  const tags = parseObjectTags(value);
  // https://learn.microsoft.com/rest/api/storageservices/set-blob-tags
  const isAllowed = (text: string): boolean => /^[A-Za-z0-9 +\-./:=_]*$/.test(text);
  if (!tags.every((tag) => isAllowed(tag.key) && isAllowed(tag.value)))
    throw new Error("a tag has other characters than letters, digits, space and + - . / : = _");
  return Object.fromEntries(tags.map((tag) => [tag.key, tag.value]));
}

/** Reads `tags` of a VolumeSnapshotLocation, which become tags of Azure resources. */
export function parseResourceTags(value: string): Readonly<Record<string, string>> {
  const tags = value.split(",").map((pair) => {
    const [key = "", tagValue, ...rest] = pair.split("=").map((part) => part.trim());
    if (key === "" || tagValue === undefined || rest.length > 0) throw new Error("a tag is not of the form key=value");
    if (key.length > maxResourceTagKeyLength)
      throw new Error(`a tag's key has more than ${maxResourceTagKeyLength} characters`);
    if (tagValue.length > maxResourceTagValueLength)
      throw new Error(`a tag's value has more than ${maxResourceTagValueLength} characters`);
    return [key, tagValue] as const;
  });
  if (tags.length > maxResourceTags) throw new Error(`${tags.length} tags, Azure allows ${maxResourceTags}`);
  return Object.fromEntries(tags);
}

/** Reads a URL that must be reached over TLS. */
export function parseHttpsUrl(value: string): URL {
  if (!URL.canParse(value)) throw new Error("not a URL");
  const parsed = new URL(value);
  if (parsed.protocol !== "https:") throw new Error("not https");
  return parsed;
}
