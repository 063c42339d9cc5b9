import { compareKeys, firstNotBefore } from "../key-order.ts";
import type { Bucket } from "./bucket.ts";
import { resourceOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { invalid } from "./gcs-error.ts";
import type { ObjectMeta } from "./object-meta.ts";

interface ListRequest {
  readonly bucket: Bucket;
  readonly prefix: string;
  readonly delimiter: string;
  readonly startOffset: string;
  readonly endOffset: string | undefined;
  readonly hasVersions: boolean;
  readonly hasTrailing: boolean;
  readonly pageSize: number;
}

/** Objects, or a common prefix, under one name; a page ends between two entries. */
interface Entry {
  readonly name: string;
  readonly prefix?: string;
  readonly objects: readonly ObjectMeta[];
}

/** objects.list. */
export function listObjects(call: Call): Answer {
  const request = readRequest(call);
  const token = call.query.get("pageToken");
  const items: ObjectMeta[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  let nextPageToken: string | undefined;
  for (const entry of entriesAfter(request, token === undefined || token === "" ? undefined : decodeToken(token))) {
    const count = items.length + prefixes.length;
    const more = entry.objects.length + (entry.prefix === undefined ? 0 : 1);
    if (count > 0 && count + more > request.pageSize) {
      nextPageToken = encodeToken(last ?? "");
      break;
    }
    items.push(...entry.objects);
    if (entry.prefix !== undefined) prefixes.push(entry.prefix);
    last = entry.name;
  }
  return {
    json: {
      kind: "storage#objects",
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
      ...(prefixes.length === 0 ? {} : { prefixes }),
      ...(items.length === 0 ? {} : { items: items.map((meta) => resourceOf(call, request.bucket, meta)) }),
    },
  };
}

function readRequest(call: Call): ListRequest {
  const { query } = call;
  const text = query.get("maxResults");
  if (text !== undefined && (!/^\d+$/.test(text) || Number(text) === 0)) {
    throw invalid(`Invalid value for maxResults: ${text}`);
  }
  // A list that ignored the pattern would be a wrong answer, not a poor one.
  if ((query.get("matchGlob") ?? "") !== "" || (query.get("filter") ?? "") !== "")
    throw invalid("matchGlob and filter are not known to this stand-in.");
  const endOffset = query.get("endOffset");
  return {
    bucket: call.state.bucket(call.bucketName),
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
    startOffset: query.get("startOffset") ?? "",
    endOffset: endOffset === "" ? undefined : endOffset,
    hasVersions: query.get("versions") === "true",
    hasTrailing: query.get("includeTrailingDelimiter") === "true",
    pageSize: Math.min(Number(text ?? call.settings.pageSize), call.settings.pageSize),
  };
}

function* entriesAfter(request: ListRequest, after: string | undefined): Generator<Entry> {
  const { bucket, prefix, startOffset, endOffset } = request;
  const names = bucket.objects.keys();
  const from = [prefix, startOffset, after ?? ""].reduce((a, b) => (compareKeys(a, b) > 0 ? a : b));
  let group: string | undefined;
  for (const name of names.slice(firstNotBefore(names, from))) {
    if (!name.startsWith(prefix) || (endOffset !== undefined && compareKeys(name, endOffset) >= 0)) return;
    const objects = name === after ? [] : visible(request, name);
    const common = commonPrefix(name, request);
    // A page that ended with a common prefix goes on behind the whole group.
    if (objects.length === 0 || (common !== undefined && (common === group || common === after))) continue;
    group = common;
    if (common === undefined) yield { name, objects };
    else yield { name: common, prefix: common, objects: request.hasTrailing && name === common ? objects : [] };
  }
}

function visible(request: ListRequest, name: string): readonly ObjectMeta[] {
  const live = request.bucket.live(name);
  if (!request.hasVersions) return live === undefined ? [] : [live];
  const versions = request.bucket.objects.versions(name).filter((meta) => meta.isDeleteMarker !== true);
  return versions.toReversed();
}

function commonPrefix(name: string, { prefix, delimiter }: ListRequest): string | undefined {
  const at = delimiter === "" ? -1 : name.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : name.slice(0, at + delimiter.length);
}

function encodeToken(name: string): string {
  return Buffer.from(`after:${name}`).toString("base64");
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, "base64").toString("utf8");
  if (!text.startsWith("after:")) throw invalid(`Invalid value for pageToken: ${token}`);
  return text.slice("after:".length);
}
