import type { Call, ListQuery, PrefixQuery } from "../plugin/index.ts";
import type { BlobDriver } from "./blob-driver.ts";

/** What a listing needs of a driver. */
export type BlobLister = Pick<BlobDriver, "list">;

/** All common prefixes, each once: a page may begin with the one that the page before ended with. */
export async function listCommonPrefixes(
  driver: BlobLister,
  query: PrefixQuery,
  call: Call,
): Promise<readonly string[]> {
  const prefixes = new Set<string>();
  for await (const page of driver.list({ prefix: query.prefix, delimiter: query.delimiter }, call))
    for (const prefix of page.commonPrefixes) prefixes.add(prefix);
  return [...prefixes];
}

/** All keys below the prefix, descending. */
export async function listObjects(driver: BlobLister, query: ListQuery, call: Call): Promise<readonly string[]> {
  const keys = new Set<string>();
  for await (const page of driver.list({ prefix: query.prefix, delimiter: undefined }, call))
    for (const key of page.keys) keys.add(key);
  return [...keys].sort((a, b) => compareKeys(b, a));
}

/**
 * Compares as stores do: by the bytes of UTF-8, which is the order of code points. JavaScript's own order is that of
 * UTF-16 and differs where surrogates meet the characters above them (U+E000 to U+FFFF).
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** The place of a code unit in the order of code points: surrogates stand for what lies above all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
