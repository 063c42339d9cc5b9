/** The lines of a file of KEY=value lines. */
export type DotenvValues = ReadonlyMap<string, string>;

const spaces = String.raw`[\t\v\f\r \u0085\u00a0]`;
// A key, or a key in YAML's form; what a shell would export counts too.
const keyPattern = new RegExp(String.raw`^(?:export${spaces}+)?([\p{L}\p{N}_.]+)${spaces}*[=:]${spaces}*`, "u");
const quotedPattern = /^(?:"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\[\s\S])*)')/;
const commentPattern = new RegExp(String.raw`${spaces}#.*$`);
const edgeSpaces = new RegExp(String.raw`^${spaces}+|${spaces}+$`, "g");

/**
 * Reads KEY=value lines by the rules of godotenv, which the official plugin reads its credentials with: quotes may span
 * lines, `$NAME` stands for an earlier line unless single-quoted or escaped, and a comment begins at a # after a space.
 * Node's own reader cuts a secret at any #. Throws for what is no such file, without a word of its text.
 */
export function parseDotenv(text: string): DotenvValues {
  const values = new Map<string, string>();
  let rest = text.replaceAll("\r\n", "\n");
  for (let line = 1; ; line += 1) {
    rest = rest.replace(/^(?:\s+|#[^\n]*(?:\n|$))+/, "");
    if (rest === "") return values;
    const key = keyPattern.exec(rest);
    if (key?.[1] === undefined) throw new Error(`entry ${line} is not of the form KEY=value`);
    rest = rest.slice(key[0].length);
    const { value, length } = readValue(rest, values, line);
    values.set(key[1], value);
    rest = rest.slice(length);
  }
}

function readValue(
  rest: string,
  values: DotenvValues,
  line: number,
): { readonly value: string; readonly length: number } {
  const quoted = quotedPattern.exec(rest);
  if (quoted !== null) {
    const [whole, double, single] = quoted;
    const value = double === undefined ? (single ?? "") : expand(unescape(double), values);
    return { value, length: whole.length };
  }
  if (/^["']/.test(rest)) throw new Error(`the quoted value of entry ${line} does not end`);
  const raw = /^[^\r\n]*/.exec(rest)?.[0] ?? "";
  const value = raw.replace(commentPattern, "").replaceAll(edgeSpaces, "");
  return { value: expand(value, values), length: raw.length };
}

function unescape(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, (escape, letter: string) => {
    if (letter === "n") return "\n";
    if (letter === "r") return "\r";
    return letter === "$" ? escape : letter;
  });
}

function expand(text: string, values: DotenvValues): string {
  return text.replaceAll(/(\\)?\$\{?([A-Z0-9_]+)?\}?/g, (whole, escape?: string, name?: string) => {
    if (escape !== undefined) return whole.slice(1);
    return name === undefined ? whole : (values.get(name) ?? "");
  });
}
