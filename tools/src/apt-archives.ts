import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The package archives that this machine's apt is configured with, in order; those that look like Debian's own first.
 * Which of them holds a pinned file is found by asking.
 */
export function aptArchives(folder = "/etc/apt"): string[] {
  const parts = join(folder, "sources.list.d");
  const files = [
    join(folder, "sources.list"),
    ...(existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []),
  ];
  const archives = files
    .filter((path) => existsSync(path))
    .flatMap((path) => {
      const text = readFileSync(path, "utf8");
      return path.endsWith(".sources") ? archivesOfStanzas(text) : archivesOfLines(text);
    });
  return [...new Set(archives)].sort((a, b) => Number(isDebian(b)) - Number(isDebian(a)));
}

/** The archives of a one-line-style file: `deb [options] URI suite components`. */
export function archivesOfLines(text: string): string[] {
  return text
    .split("\n")
    .flatMap((line) => /^deb\s+(?:\[[^\]]*\]\s+)?(https?:\S+)/.exec(line.trim())?.[1] ?? [])
    .map(trimmed);
}

/** The archives of a deb822-style file: stanzas with `Types` and `URIs`. */
export function archivesOfStanzas(text: string): string[] {
  const withoutComments = text.replaceAll(/^#.*\n?/gm, "");
  return withoutComments
    .split(/\n\s*\n/)
    .filter((stanza) => /^Types:(?:.*\s)?deb(?:\s|$)/m.test(stanza) && !/^Enabled:\s*no/im.test(stanza))
    .flatMap((stanza) => (/^URIs:\s*(.+(?:\n\s+.+)*)/m.exec(stanza)?.[1] ?? "").split(/\s+/))
    .filter((uri) => /^https?:/.test(uri))
    .map(trimmed);
}

function trimmed(uri: string): string {
  return uri.replace(/\/+$/, "");
}

function isDebian(uri: string): boolean {
  return uri.endsWith("/debian");
}
