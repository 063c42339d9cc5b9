import { childrenNamed, document, element, leaf, parseXml, requiredText } from "../xml.ts";
import type { XmlElement } from "../xml.ts";
import { S3Error } from "./s3-error.ts";

const maxObjectTags = 10;
const maxBucketTags = 50;

/** Reads the x-amz-tagging header, whose form is that of a query string. */
export function readTagHeader(header: string | undefined): Record<string, string> {
  if (header === undefined || header === "") return {};
  const pairs = header.split("&").map((pair): [string, string] => {
    const at = pair.indexOf("=");
    try {
      return at === -1 ? [decode(pair), ""] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
    } catch {
      throw new S3Error(
        "InvalidArgument",
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      );
    }
  });
  return checkTags(pairs, maxObjectTags);
}

/** Reads a Tagging document. */
export function readTagDocument(source: string, owner: "object" | "bucket"): Record<string, string> {
  const root = parseXml(source);
  const sets = childrenNamed(root, "TagSet");
  if (root.name !== "Tagging" || sets.length !== 1) throw new S3Error("MalformedXML");
  const tags = sets.flatMap((set) => childrenNamed(set, "Tag")).map(readTag);
  return checkTags(tags, owner === "object" ? maxObjectTags : maxBucketTags);
}

/** Writes a Tagging document. */
export function writeTagDocument(tags: Readonly<Record<string, string>>): string {
  const set = Object.entries(tags).map(([key, value]) => element("Tag", [leaf("Key", key), leaf("Value", value)]));
  return document(element("Tagging", [element("TagSet", set)], ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'));
}

function readTag(tag: XmlElement): [string, string] {
  return [requiredText(tag, "Key"), requiredText(tag, "Value")];
}

function checkTags(pairs: readonly (readonly [string, string])[], most: number): Record<string, string> {
  if (pairs.length > most) throw new S3Error("BadRequest", `Object tags cannot be greater than ${most}`);
  const tags = new Map<string, string>();
  for (const [key, value] of pairs) {
    if (tags.has(key)) throw new S3Error("InvalidTag", "Cannot provide multiple Tags with the same key");
    if (key.startsWith("aws:")) throw new S3Error("InvalidTag", "System tags cannot be added/updated by requester");
    if (key.length === 0 || key.length > 128 || !allowed.test(key)) {
      throw new S3Error("InvalidTag", "The TagKey you have provided is invalid", { details: { TagKey: key } });
    }
    if (value.length > 256 || !allowed.test(value)) {
      throw new S3Error("InvalidTag", "The TagValue you have provided is invalid", { details: { TagKey: key } });
    }
    tags.set(key, value);
  }
  return Object.fromEntries(tags);
}

const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}
