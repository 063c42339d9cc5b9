import { byteSize } from "./config-keys.ts";

/** A key of a Secret. */
export interface SecretReference {
  readonly name: string;
  readonly key: string;
}

/** A tag of an object. */
export interface ObjectTag {
  readonly key: string;
  readonly value: string;
}

// The same on S3 and Azure.
const maxTags = 10;
const maxTagKeyLength = 128;
const maxTagValueLength = 256;
const minMemoryBytes = 16 * 1024 ** 2;

/** Reads `secret/key`. */
export function parseSecretReference(value: string): SecretReference {
  const [name = "", key = "", ...rest] = value.split("/");
  if (name === "" || key === "" || rest.length > 0) throw new Error("not a Secret's name and a key of it");
  return { name, key };
}

/** Reads `memoryLimit`. */
export function parseMemoryLimit(value: string): number {
  const bytes = byteSize("").parse(value) ?? 0;
  if (bytes < minMemoryBytes) throw new Error("less than 16Mi");
  return bytes;
}

/** Reads `tagging` (`Key=Value&Key2=Value2`, percent-encoded or not) within the limits that stores have in common. */
export function parseObjectTags(value: string): readonly ObjectTag[] {
  const tags = value.split("&").map(parseTag);
  if (tags.length > maxTags) throw new Error(`${tags.length} tags, the store allows ${maxTags}`);
  if (new Set(tags.map((tag) => tag.key)).size < tags.length) throw new Error("a tag is given twice");
  return tags;
}

function parseTag(pair: string): ObjectTag {
  const [rawKey = "", rawValue, ...rest] = pair.split("=");
  if (rawKey === "" || rawValue === undefined || rest.length > 0) throw new Error("a tag is not of the form Key=Value");
  const [key, value] = [decodeTagText(rawKey), decodeTagText(rawValue)];
  if (key.length > maxTagKeyLength) throw new Error(`a tag's key has more than ${maxTagKeyLength} characters`);
  if (value.length > maxTagValueLength) throw new Error(`a tag's value has more than ${maxTagValueLength} characters`);
  return { key, value };
}

function decodeTagText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // A stray percent sign: the store decides what it means.
    return text;
  }
}
