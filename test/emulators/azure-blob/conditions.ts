import { BlobError, invalidHeader } from "./blob-error.ts";
import type { BlobMeta } from "./blob-meta.ts";
import { matchesTags } from "./tag-condition.ts";

type Headers = ReadonlyMap<string, string>;

/** Checks the conditional headers of a read; a condition that does not hold is 304 or 412. */
export function checkReadConditions(headers: Headers, meta: BlobMeta): void {
  const { etagMatches, noneMatches, isModified, isUnmodified, tagsMatch } = evaluate(headers, meta, "");
  if (etagMatches === false || isUnmodified === false || tagsMatch === false) throw failed(412);
  // A matching If-None-Match decides alone; the date counts only without it.
  if (noneMatches === true) throw failed(304);
  if (noneMatches === undefined && isModified === false) throw failed(304);
}

/** Checks the conditional headers of an operation that changes a blob, or makes one. */
export function checkWriteConditions(headers: Headers, existing: BlobMeta | undefined): void {
  if (headers.get("if-none-match") === "*" && existing !== undefined) throw new BlobError("BlobAlreadyExists");
  if (existing === undefined) {
    if (headers.has("if-match") || headers.has("x-ms-if-tags")) throw failed(412);
    return;
  }
  const found = evaluate(headers, existing, "");
  const holds = [found.etagMatches, found.isModified, found.isUnmodified, found.tagsMatch].every(
    (one) => one !== false,
  );
  if (!holds || found.noneMatches === true) throw failed(412);
}

/** Checks the conditional headers about the source of a copy. */
export function checkSourceConditions(headers: Headers, source: BlobMeta): void {
  const found = evaluate(headers, source, "x-ms-source-");
  const holds = [found.etagMatches, found.isModified, found.isUnmodified, found.tagsMatch].every(
    (one) => one !== false,
  );
  if (!holds || found.noneMatches === true) throw new BlobError("SourceConditionNotMet");
}

interface Found {
  readonly etagMatches: boolean | undefined;
  readonly noneMatches: boolean | undefined;
  readonly isModified: boolean | undefined;
  readonly isUnmodified: boolean | undefined;
  readonly tagsMatch: boolean | undefined;
}

function evaluate(headers: Headers, meta: BlobMeta, prefix: string): Found {
  const modified = Math.floor(Date.parse(meta.lastModified) / 1000) * 1000;
  const ifMatch = headers.get(`${prefix}if-match`);
  const ifNoneMatch = headers.get(`${prefix}if-none-match`);
  const since = dateIn(headers, `${prefix}if-modified-since`);
  const unmodifiedSince = dateIn(headers, `${prefix}if-unmodified-since`);
  const tags = headers.get(prefix === "" ? "x-ms-if-tags" : `${prefix}if-tags`);
  return {
    etagMatches: ifMatch === undefined ? undefined : matchesEtag(ifMatch, meta.etag),
    noneMatches: ifNoneMatch === undefined ? undefined : matchesEtag(ifNoneMatch, meta.etag),
    isModified: since === undefined ? undefined : modified > since,
    isUnmodified: unmodifiedSince === undefined ? undefined : modified <= unmodifiedSince,
    tagsMatch: tags === undefined ? undefined : matchesTags(tags, meta.tags),
  };
}

function matchesEtag(header: string, etag: string): boolean {
  return header.split(",").some((one) => {
    const wanted = one.trim().replace(/^W\//, "");
    return wanted === "*" || wanted === etag || `"${wanted}"` === etag;
  });
}

function dateIn(headers: Headers, name: string): number | undefined {
  const text = headers.get(name);
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw invalidHeader(name, text);
  return time;
}

function failed(status: number): BlobError {
  return new BlobError("ConditionNotMet", {}, { status });
}
