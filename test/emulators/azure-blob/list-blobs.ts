import { compareKeys, firstNotBefore } from "../key-order.ts";
import { document, element, leaf } from "../xml.ts";
import { invalidQuery } from "./blob-error.ts";
import type { BlobMeta } from "./blob-meta.ts";
import { containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import type { Container } from "./container.ts";
import { currentBlob } from "./find-blob.ts";
import { writeBlob, writeName, writeUncommitted } from "./list-entry.ts";
import { decodeMarker, encodeMarker, readPageSize } from "./list-page.ts";

const knownIncludes = [
  "copy",
  "deleted",
  "deletedwithversions",
  "immutabilitypolicy",
  "legalhold",
  "metadata",
  "snapshots",
  "tags",
  "uncommittedblobs",
  "versions",
];

interface ListRequest {
  readonly container: Container;
  readonly prefix: string;
  readonly delimiter: string;
  readonly include: ReadonlySet<string>;
  readonly pageSize: number;
  readonly now: Date;
}

/** List Blobs, flat or by hierarchy. */
export async function listBlobs(call: Call): Promise<Answer> {
  const request = readRequest(call);
  const marker = call.query.get("marker");
  const after = marker === undefined || marker === "" ? undefined : decodeMarker(marker);
  for (const name of request.container.names()) await currentBlob(call, request.container, name);
  const { entries, last } = listPage(request, after);
  return {
    body: document(
      element(
        "EnumerationResults",
        [
          leaf("Prefix", call.query.get("prefix")),
          leaf("Marker", marker),
          leaf("MaxResults", call.query.get("maxresults")),
          leaf("Delimiter", call.query.get("delimiter")),
          element("Blobs", entries),
          leaf("NextMarker", last === undefined ? "" : encodeMarker(last)),
        ],
        ` ServiceEndpoint="${call.endpoint}" ContainerName="${request.container.config.name}"`,
      ),
    ),
  };
}

function readRequest(call: Call): ListRequest {
  const include = new Set((call.query.get("include") ?? "").split(",").filter((one) => one !== ""));
  for (const one of include) if (!knownIncludes.includes(one)) throw invalidQuery("include", one);
  const delimiter = call.query.get("delimiter") ?? "";
  if (delimiter !== "" && include.has("snapshots")) throw invalidQuery("include", "snapshots");
  return {
    container: containerOf(call),
    prefix: call.query.get("prefix") ?? "",
    delimiter,
    include,
    pageSize: readPageSize(call),
    now: call.now,
  };
}

interface Entry {
  /** The name, or the common prefix. */
  readonly name: string;
  /** A blob with all its asked-for versions, or a common prefix; a page ends between two entries. */
  readonly written: readonly string[];
}

function listPage(
  request: ListRequest,
  after: string | undefined,
): { readonly entries: readonly string[]; readonly last: string | undefined } {
  const entries: string[] = [];
  let last: string | undefined;
  for (const { name, written } of entriesAfter(request, after)) {
    if (entries.length > 0 && entries.length + written.length > request.pageSize) return { entries, last };
    entries.push(...written);
    last = name;
  }
  return { entries, last: undefined };
}

function* entriesAfter(request: ListRequest, after = ""): Generator<Entry> {
  const { container, prefix, delimiter } = request;
  const names = container.names();
  const uncommitted = new Set(request.include.has("uncommittedblobs") ? container.uncommittedNames(request.now) : []);
  // A page that ended with a common prefix goes on behind the whole group.
  let group = delimiter !== "" && after.endsWith(delimiter) ? after : undefined;
  const from = firstNotBefore(names, compareKeys(after, prefix) > 0 ? after : prefix);
  for (const name of names.slice(from)) {
    if (!name.startsWith(prefix)) return;
    const written = name === after ? [] : writeEntries(request, name, uncommitted.has(name));
    const common = commonPrefix(name, request);
    if (written.length === 0 || (common !== undefined && common === group)) continue;
    if (common === undefined) yield { name, written };
    else yield { name: common, written: [element("BlobPrefix", [writeName(common)])] };
    group = common ?? group;
  }
}

function commonPrefix(name: string, { prefix, delimiter }: ListRequest): string | undefined {
  const at = delimiter === "" ? -1 : name.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : name.slice(0, at + delimiter.length);
}

function writeEntries(request: ListRequest, name: string, isUncommitted: boolean): readonly string[] {
  const { container, include } = request;
  const current = container.current(name);
  const snapshots = include.has("snapshots") ? container.snapshots.versions(name).toReversed() : [];
  const versions = include.has("versions") ? container.blobs.versions(name).toReversed() : [];
  const older = versions.filter((meta) => meta !== current && meta.isDeleteMarker !== true);
  const write = (meta: BlobMeta, kind: "current" | "version" | "snapshot"): string => writeBlob(meta, kind, include);
  return [
    ...snapshots.map((meta) => write(meta, "snapshot")),
    ...older.map((meta) => write(meta, "version")),
    ...(current === undefined ? [] : [write(current, "current")]),
    ...(isUncommitted ? [writeUncommitted(name)] : []),
  ];
}
