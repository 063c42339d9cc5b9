import { document, element, leaf } from "../xml.ts";
import { encodeRfc3986 } from "../sigv4.ts";
import type { Bucket } from "./bucket.ts";
import { bucketOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { compareKeys, firstNotBefore } from "../key-order.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";

const xmlns = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const maxPage = 1000;

/** What a listing asks for. */
export interface ListRequest {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly encode: (key: string) => string;
  readonly encodingType: string | undefined;
}

interface Page {
  readonly objects: readonly ObjectMeta[];
  readonly prefixes: readonly string[];
  /** The last key or common prefix of this page, where there is more. */
  readonly last: string | undefined;
}

/** ListObjectsV2. */
export function listObjectsV2(call: Call): Answer {
  const bucket = bucketOf(call);
  if (call.query.get("list-type") !== "2")
    throw new S3Error("InvalidArgument", "Invalid List Type specified in request");
  const request = readListRequest(call);
  const token = call.query.get("continuation-token");
  const startAfter = call.query.get("start-after");
  const page = listPage(
    bucket,
    request,
    token === undefined ? (startAfter ?? "") : decodeToken(token),
    token !== undefined,
  );
  const root = element(
    "ListBucketResult",
    [
      leaf("Name", bucket.config.name),
      leaf("Prefix", request.encode(request.prefix)),
      ...(request.delimiter === "" ? [] : [leaf("Delimiter", request.encode(request.delimiter))]),
      leaf("MaxKeys", request.maxKeys),
      leaf("EncodingType", request.encodingType),
      leaf("KeyCount", page.objects.length + page.prefixes.length),
      leaf("IsTruncated", page.last !== undefined),
      leaf("ContinuationToken", token),
      leaf("NextContinuationToken", page.last === undefined ? undefined : encodeToken(page.last)),
      leaf("StartAfter", startAfter === undefined ? undefined : request.encode(startAfter)),
      ...writeContents(page, request, call.query.get("fetch-owner") === "true"),
    ],
    xmlns,
  );
  return { body: document(root) };
}

/** ListObjects, the first version. */
export function listObjects(call: Call): Answer {
  const bucket = bucketOf(call);
  const request = readListRequest(call);
  const marker = call.query.get("marker") ?? "";
  const page = listPage(bucket, request, marker, true);
  const root = element(
    "ListBucketResult",
    [
      leaf("Name", bucket.config.name),
      leaf("Prefix", request.encode(request.prefix)),
      leaf("Marker", request.encode(marker)),
      ...(request.delimiter === "" ? [] : [leaf("Delimiter", request.encode(request.delimiter))]),
      leaf("MaxKeys", request.maxKeys),
      leaf("EncodingType", request.encodingType),
      leaf("IsTruncated", page.last !== undefined),
      // S3 leaves it out without a delimiter: then the last key says the same.
      ...(request.delimiter === "" || page.last === undefined ? [] : [leaf("NextMarker", request.encode(page.last))]),
      ...writeContents(page, request, true),
    ],
    xmlns,
  );
  return { body: document(root) };
}

/** Reads what all listings have in common. */
export function readListRequest(call: Call, maxName = "max-keys"): ListRequest {
  const encodingType = call.query.get("encoding-type");
  if (encodingType !== undefined && encodingType !== "url") {
    throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request");
  }
  const most = call.query.get(maxName) ?? String(maxPage);
  if (!/^\d+$/.test(most) || Number(most) > 2_147_483_647) {
    throw new S3Error("InvalidArgument", `Argument ${maxName} must be an integer between 0 and 2147483647`);
  }
  return {
    prefix: call.query.get("prefix") ?? "",
    delimiter: call.query.get("delimiter") ?? "",
    maxKeys: Math.min(Number(most), maxPage),
    encodingType,
    // Slashes stay readable in S3's encoding.
    encode: encodingType === undefined ? (key) => key : (key) => key.split("/").map(encodeRfc3986).join("/"),
  };
}

/** Returns the common prefix that a key falls under; undefined where it stands for itself. */
export function commonPrefix(key: string, { prefix, delimiter }: ListRequest): string | undefined {
  const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

interface Entry {
  /** The key, or the common prefix. */
  readonly name: string;
  readonly meta: ObjectMeta | undefined;
}

function listPage(bucket: Bucket, request: ListRequest, after: string, skipsGroup: boolean): Page {
  const objects: ObjectMeta[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  // A page that ended with a common prefix goes on behind the whole group.
  const isGroup = skipsGroup && request.delimiter !== "" && after.endsWith(request.delimiter);
  for (const { name, meta } of entriesAfter(bucket, request, after, isGroup ? after : undefined)) {
    if (objects.length + prefixes.length >= request.maxKeys) return { objects, prefixes, last };
    if (meta === undefined) prefixes.push(name);
    else objects.push(meta);
    last = name;
  }
  return { objects, prefixes, last: undefined };
}

function* entriesAfter(
  bucket: Bucket,
  request: ListRequest,
  after: string,
  skippedGroup: string | undefined,
): Generator<Entry> {
  const keys = bucket.objects.keys();
  let group = skippedGroup;
  const first = firstNotBefore(keys, compareKeys(after, request.prefix) > 0 ? after : request.prefix);
  for (let i = first; i < keys.length; i += 1) {
    const key = keys[i] ?? "";
    if (!key.startsWith(request.prefix)) return;
    const meta = bucket.objects.latest(key);
    if (key === after || meta === undefined || meta.isDeleteMarker === true) continue;
    const common = commonPrefix(key, request);
    if (common === undefined) yield { name: key, meta };
    else if (common !== group) yield { name: common, meta: undefined };
    group = common ?? group;
  }
}

function writeContents(page: Page, request: ListRequest, withOwner: boolean): string[] {
  const objects = page.objects.map((meta) =>
    element("Contents", [
      leaf("Key", request.encode(meta.key)),
      leaf("LastModified", meta.lastModified),
      leaf("ETag", `"${meta.etag}"`),
      ...describeChecksum(meta),
      leaf("Size", meta.size),
      ...(withOwner ? [element("Owner", [leaf("ID", meta.owner)])] : []),
      leaf("StorageClass", meta.storageClass),
    ]),
  );
  const prefixes = page.prefixes.map((prefix) => element("CommonPrefixes", [leaf("Prefix", request.encode(prefix))]));
  return [...objects, ...prefixes];
}

/** Writes which checksum an object has. */
export function describeChecksum(meta: ObjectMeta): string[] {
  if (meta.checksum === undefined) return [];
  return [leaf("ChecksumAlgorithm", meta.checksum.algorithm), leaf("ChecksumType", meta.checksum.type)];
}

// Opaque for clients; the letter in front tells a token of ours from a key that was put there by mistake.
function encodeToken(last: string): string {
  return Buffer.from(`t${last}`).toString("base64");
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, "base64").toString("utf8");
  if (text.startsWith("t") && encodeToken(text.slice(1)) === token) return text.slice(1);
  throw new S3Error("InvalidArgument", "The continuation token provided is incorrect");
}
