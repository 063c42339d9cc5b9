/** The lines of a file of KEY=value lines. */
export interface Dotenv {
  readonly values: ReadonlyMap<string, string>;
  /** Whether a value begins with a quote that ends nowhere: one to be taken as it is, or a file that is half-written. */
  readonly hasOpenQuote: boolean;
}

const spaces = String.raw`[\t\v\f\r \u0085\u00a0]`;
// Any text up to the first = or, as in YAML, the first colon; what a shell would export counts too.
const keyPattern = new RegExp(String.raw`^(?:export${spaces}+)?([^\n=:]*?)${spaces}*[=:]${spaces}*`);
const quotedPattern = /^(?:"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\[\s\S])*)')/;
const wholeLinePattern = /^(?:"(.*)"|'(.*)')$/;
const restOfLinePattern = new RegExp(String.raw`^${spaces}*(?:#|\n|$)`);
// A value of several lines is a certificate; where one of Azure's own lines follows, the quote was none.
const nextLinePattern = new RegExp(String.raw`\n${spaces}*(?:export${spaces}+)?AZURE_\w+${spaces}*[=:]`);
const commentPattern = new RegExp(String.raw`${spaces}#.*$`);
const edgeSpaces = new RegExp(String.raw`^${spaces}+|${spaces}+$`, "g");

/**
 * Reads KEY=value lines as godotenv 1.4 does, which the official plugin reads its credentials with: the key is any text
 * before the first = or colon, a quote that does not fit is a letter like any other, `$NAME` stands for an earlier line
 * unless single-quoted or escaped. Beyond that, quotes may span lines, as in later versions, and a comment begins only
 * at a # after a space: one inside of a secret is part of it. Throws for what is no such file, without a word of its
 * text.
 */
export function parseDotenv(text: string): Dotenv {
  const values = new Map<string, string>();
  let hasOpenQuote = false;
  let rest = text.replaceAll("\r\n", "\n");
  for (let line = 1; ; line += 1) {
    rest = rest.replace(/^(?:\s+|#[^\n]*(?:\n|$))+/, "");
    if (rest === "") return { values, hasOpenQuote };
    const key = keyPattern.exec(rest);
    if (key?.[1] === undefined) throw new Error(`entry ${line} is not of the form KEY=value`);
    rest = rest.slice(key[0].length);
    const { value, length, isOpen } = readValue(rest, values);
    values.set(key[1], value);
    hasOpenQuote ||= isOpen;
    rest = rest.slice(length);
  }
}

interface ReadValue {
  readonly value: string;
  readonly length: number;
  readonly isOpen: boolean;
}

function readValue(rest: string, values: ReadonlyMap<string, string>): ReadValue {
  const raw = /^[^\n]*/.exec(rest)?.[0] ?? "";
  const quoted = quotedPattern.exec(rest);
  const fits = quoted !== null && restOfLinePattern.test(rest.slice(quoted[0].length));
  if (fits && quoted[0].length <= raw.length) return { ...unquoted(quoted, values), length: quoted[0].length };
  const wholeLine = wholeLinePattern.exec(raw.replaceAll(edgeSpaces, ""));
  if (wholeLine !== null) return { ...unquoted(wholeLine, values), length: raw.length };
  if (fits && !nextLinePattern.test(quoted[0])) return { ...unquoted(quoted, values), length: quoted[0].length };
  const value = raw.replace(commentPattern, "").replaceAll(edgeSpaces, "");
  return { value: expand(value, values), length: raw.length, isOpen: quoted === null && /^["']/.test(raw) };
}

function unquoted(
  [, double, single = ""]: readonly (string | undefined)[],
  values: ReadonlyMap<string, string>,
): Omit<ReadValue, "length"> {
  return { value: double === undefined ? single : expand(unescape(double), values), isOpen: false };
}

function unescape(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, (escape, letter: string) => {
    if (letter === "n") return "\n";
    if (letter === "r") return "\r";
    return letter === "$" ? escape : letter;
  });
}

function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/(\\)?\$\{?([A-Z0-9_]+)?\}?/g, (whole, escape?: string, name?: string) => {
    if (escape !== undefined) return whole.slice(1);
    return name === undefined ? whole : (values.get(name) ?? "");
  });
}
