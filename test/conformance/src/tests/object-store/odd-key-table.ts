import type { Capability } from "../../target/target.ts";

/** A key that is harder to carry than most. */
export interface OddKey {
  readonly name: string;
  /** The key below this prefix. */
  readonly below: (prefix: string) => string;
  readonly needs?: readonly Capability[];
}

const longestBytes = 1024;

const plain: readonly (readonly [name: string, key: string])[] = [
  ["spaces", "a key  with spaces/at its end too "],
  ["plus-signs", "a+b++c"],
  ["percent-signs", "100%/%2F/a%20b/%zz"],
  ["query", "a?b=c&d#e;f"],
  ["equals-signs", "team=a/b=c"],
  ["quotes", `it's "quoted"`],
  ["angle-brackets", "a<b>&amp;c"],
  ["backslash", "a\\b"],
  ["reserved", "!*'();:@,$[]{}|^`~"],
  ["doubled-slashes", "a//b"],
  ["dots", ".hidden/a..b/.../c."],
  ["dot-segments", "a/./b/../c"],
];

const unicode: readonly (readonly [name: string, key: string])[] = [
  ["unicode", "größe/日本語/ключ"],
  ["emoji", "backup-🙂"],
  ["composed", "é is not e\u0301"],
];

/** Keys that a prefix of an operator's choice may lead to. */
export const oddKeys: readonly OddKey[] = [
  ...plain.map(([name, key]): OddKey => ({ name, below: (prefix) => prefix + key })),
  ...unicode.map(([name, key]): OddKey => ({ name, below: (prefix) => prefix + key, needs: ["unicode-keys"] })),
  { name: "longest", below: (prefix) => filled(prefix, longestBytes, "k") },
  {
    name: "longest-unicode",
    below: (prefix) => filled(prefix, longestBytes, "é"),
    needs: ["unicode-keys"],
  },
];

/** Fills a key up to so many bytes, in segments that a file system would take. */
function filled(prefix: string, bytes: number, letter: string): string {
  let key = prefix;
  const fits = (next: string): boolean => Buffer.byteLength(key + next) <= bytes;
  for (let index = 1; fits(letter); index += 1) key += index % 100 === 0 && fits(`/${letter}`) ? "/" : letter;
  return key;
}
