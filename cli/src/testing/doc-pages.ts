import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parseAllDocuments } from "yaml";

/** The checkout that this file is of. */
export const checkout = join(import.meta.dirname, "..", "..", "..");

/** The pages for users, as paths in the checkout. */
export const pages: readonly string[] = globSync(
  ["README.md", "CONTRIBUTING.md", "docs/**/*.md", "cli/README.md", "plugins/*/README.md", "shared/*/README.md"],
  { cwd: checkout },
)
  // A decision is of its time, and so are the commands in it.
  .filter((page) => !page.includes("node_modules") && !page.includes("/adr/"))
  .toSorted((a, b) => (a < b ? -1 : 1));

/** The text of a page. */
export function textOf(page: string): string {
  return readFileSync(join(checkout, page), "utf8");
}

/** Lines of code blocks that begin with the program's name, as they are after a shell has joined them. */
export function commandsIn(page: string): readonly string[] {
  const joined = textOf(page).replaceAll(/ \\\n\s*/g, " ");
  return joined.split("\n").flatMap((line) => {
    const [, command = ""] = /^\s*(?:\$ |\d+\. )?(?:npm run )?(flotilla (?!install \/)[a-z-].*)$/.exec(line) ?? [];
    // An ellipsis is left to the reader.
    return command === "" || command.includes("…") ? [] : [wordsAfterName(command.replace(/ {3,}#.*$/, ""))];
  });
}

/** Commands within sentences, which may leave out what they are given. */
export function mentionsIn(page: string): readonly string[] {
  return [...textOf(page).matchAll(/(?<!`)`(flotilla [a-z][^`\n]*)`/g)].map(([, command = ""]) =>
    wordsAfterName(command),
  );
}

/** The words of a command, as a shell would split them. */
export function readWords(line: string): readonly string[] {
  return (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/^['"]|['"]$/g, ""));
}

/** Every mapping in a page's blocks of YAML, however deep. */
export function mappingsIn(page: string): readonly Readonly<Record<string, unknown>>[] {
  const blocks = [...textOf(page).matchAll(/^( *)```yaml\n([\s\S]*?)^ *```$/gm)];
  return blocks.flatMap(([, indent = "", block = ""]) => {
    const text = block.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    return parseAllDocuments(text).flatMap((document) => mappingsOf(document.toJS()));
  });
}

function mappingsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.values(value).flatMap(mappingsOf);
  // Anything but a list is a mapping then.
  return Array.isArray(value) ? inner : [value as Readonly<Record<string, unknown>>, ...inner];
}

function wordsAfterName(command: string): string {
  return command.replace(/^flotilla (-- )?/, "").trim();
}
