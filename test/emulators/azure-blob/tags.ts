import { childrenNamed, document, element, leaf, parseXml, requiredText } from "../xml.ts";
import { BlobError, invalidHeader } from "./blob-error.ts";

const maxTags = 10;
const allowed = /^[\w +\-./:=]*$/;

/** Reads the x-ms-tags header, whose form is that of a query string. */
export function readTagHeader(header: string | undefined): Record<string, string> {
  if (header === undefined || header === "") return {};
  const pairs = header.split("&").map((pair): [string, string] => {
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    try {
      return [decode(name), decode(value)];
    } catch {
      throw invalidHeader("x-ms-tags", header);
    }
  });
  return checkTags(pairs);
}

/** Reads a Tags document. */
export function readTagDocument(source: string): Record<string, string> {
  const root = parseXml(source);
  if (root.name !== "Tags") throw new BlobError("InvalidXmlDocument");
  const tags = childrenNamed(root, "TagSet").flatMap((set) => childrenNamed(set, "Tag"));
  return checkTags(tags.map((tag): [string, string] => [requiredText(tag, "Key"), requiredText(tag, "Value")]));
}

/** Writes a Tags document. */
export function writeTagDocument(tags: Readonly<Record<string, string>>): string {
  return document(writeTags(tags));
}

/** Writes the Tags element. */
export function writeTags(tags: Readonly<Record<string, string>>): string {
  const set = Object.entries(tags).map(([key, value]) => element("Tag", [leaf("Key", key), leaf("Value", value)]));
  return element("Tags", [element("TagSet", set)]);
}

function checkTags(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  if (pairs.length > maxTags) throw new BlobError("TagsTooLarge");
  const tags = new Map<string, string>();
  for (const [key, value] of pairs) {
    if (key === "") throw new BlobError("EmptyTagName");
    if (tags.has(key)) throw new BlobError("DuplicateTagNames");
    if (key.length > 128 || value.length > 256) throw new BlobError("TagsTooLarge");
    if (!allowed.test(key) || !allowed.test(value)) throw new BlobError("InvalidTag");
    tags.set(key, value);
  }
  return Object.fromEntries([...tags].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}
