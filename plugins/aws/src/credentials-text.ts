/** One section of a credentials file; the keys of a nested table are `table.key`. */
type Section = Map<string, string>;

/** The kinds of credentials in a section, in the order of Go's SDK: of those that are there the first is used. */
const kinds: readonly { readonly needs: readonly string[]; readonly takes: readonly string[] }[] = [
  { needs: ["aws_access_key_id", "aws_secret_access_key"], takes: ["aws_session_token"] },
  { needs: ["sso_account_id"], takes: ["sso_session", "sso_start_url", "sso_role_name", "sso_region"] },
  { needs: ["credential_process"], takes: [] },
];

/**
 * A credentials file, read as Go's SDK and so the official plugin reads it, in the words that this SDK understands. Go
 * takes keys in any case, quoted values, colons, blanks within brackets and indented keys, and a role that is assumed
 * with what its own section holds.
 */
export function canonicalText(text: string): string {
  const sections = readSections(text);
  for (const name of new Set([...sections.keys()].map(profileOf))) separateRole(sections, name);
  return [...sections]
    .map(([header, section]) => `[${header}]\n${[...section].map(([key, value]) => `${key}=${value}\n`).join("")}`)
    .join("");
}

function readSections(text: string): Map<string, Section> {
  const sections = new Map<string, Section>();
  let section: Section | undefined;
  let table = "";
  for (const line of text.split(/\r?\n/)) {
    const header = headerIn(line);
    if (header !== undefined) {
      section = sections.get(header) ?? new Map<string, string>();
      sections.set(header, section);
      table = "";
      continue;
    }
    const [key, value] = propertyIn(line) ?? [];
    if (section === undefined || key === undefined || value === undefined) continue;
    const isNested = table !== "" && /^[ \t]/.test(line);
    if (!isNested) table = value === "" ? key : "";
    const name = isNested ? `${table}.${key}` : key;
    if (value === "") section.delete(name);
    else section.set(name, value);
  }
  return sections;
}

function headerIn(line: string): string | undefined {
  const name = /^\s*\[([^#;]*)\]\s*(?:[#;].*)?$/.exec(line)?.[1]?.trim();
  return name?.replaceAll(/[ \t]+/g, " ");
}

function propertyIn(line: string): readonly [key: string, value: string] | undefined {
  const plain = /^\s*[#;]/.test(line) ? "" : line.replace(/[ \t][#;].*$/, "");
  const [, key = "", value = ""] = /^([^=:]*)[=:](.*)$/.exec(plain) ?? [];
  return key.trim() === "" ? undefined : [key.trim().toLowerCase(), unquoted(value.trim())];
}

function unquoted(value: string): string {
  return /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
}

function profileOf(header: string): string {
  return header.replace(/^profile /, "");
}

/** Gives the credentials beside a role a section of their own, where this SDK looks for them. */
function separateRole(sections: Map<string, Section>, name: string): void {
  const parts = [sections.get(`profile ${name}`), sections.get(name)].filter((part) => part !== undefined);
  const has = (key: string): boolean => parts.some((part) => part.has(key));
  const isOfItself = parts.every((part) => [undefined, name].includes(part.get("source_profile")));
  if (!has("role_arn") || has("credential_source") || !isOfItself) return;
  const kind = kinds.find(({ needs }) => needs.every(has));
  if (kind === undefined) return;
  const source: Section = new Map();
  for (const part of parts)
    for (const key of [...kind.needs, ...kind.takes]) {
      const value = part.get(key);
      if (value !== undefined) source.set(key, value);
      part.delete(key);
    }
  const sourceName = `flotilla-source-of-${name}`;
  sections.set(sourceName, source);
  parts[0]?.set("source_profile", sourceName);
  parts.slice(1).forEach((part) => part.delete("source_profile"));
}
