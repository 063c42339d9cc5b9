import { stripVTControlCharacters } from "node:util";

/** A table with aligned columns and two spaces between them. The header is in capitals, as in kubectl. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header.map((title) => title.toUpperCase()), ...rows.map((row) => row.map(printable))];
  // Not all at once: a call takes no more than some hundred thousand arguments.
  const widths = header.map((_, column) =>
    lines.reduce((widest, line) => Math.max(widest, width(line[column] ?? "")), 0),
  );
  return lines
    .map((line) => line.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell))).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** Names and values under each other, the values aligned. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const longest = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${`${name}:`.padEnd(longest + 2)}${printable(value)}\n`).join("");
}

/** The text without what could move a terminal's cursor: names come from stores. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u001F\u007F]/g, "\u{FFFD}");
}

function width(text: string): number {
  return Array.from(text).length;
}
