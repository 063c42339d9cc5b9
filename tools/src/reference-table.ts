import type { ConfigKey, ConfigSchema, Definition } from "@flotilla/sdk/plugin";

const locationKinds: Readonly<Record<Definition["kind"], string>> = {
  ObjectStore: "BackupStorageLocation",
  VolumeSnapshotter: "VolumeSnapshotLocation",
};
const origins = ["official", "ours", "server"] as const satisfies readonly ConfigKey["origin"][];

/** The reference of every key that a plugin's locations may have, in Markdown, one table a kind of location. */
export function referenceTables(definitions: readonly Definition[], headingLevel: 2 | 3): string {
  return definitions.map((definition) => referenceTable(definition, "#".repeat(headingLevel))).join("\n");
}

/** Puts text between two marker lines, which stay; undefined where the page has no such markers. */
export function replaceBetweenMarkers(page: string, marker: string, text: string): string | undefined {
  const begin = `<!-- ${marker}:begin -->\n`;
  const end = `<!-- ${marker}:end -->`;
  const start = page.indexOf(begin);
  const stop = page.indexOf(end, start);
  if (start < 0 || stop < 0) return undefined;
  return `${page.slice(0, start + begin.length)}\n${text}\n${page.slice(stop)}`;
}

function referenceTable({ kind, name, config }: Definition, heading: string): string {
  const keys = Object.entries(config.keys).sort(
    ([, a], [, b]) => origins.indexOf(a.origin) - origins.indexOf(b.origin),
  );
  const lines = [
    `${heading} ${locationKinds[kind]}, provider \`${name}\``,
    "",
    "| Key | Value | Default | Origin | Meaning |",
    "| --- | --- | --- | --- | --- |",
    ...keys.map(([key, description]) => tableRow(key, description)),
    ...exclusions(config),
    ...keys.flatMap(([key, { query }]) => (query === undefined ? [] : queryTable(key, query))),
  ];
  return `${lines.join("\n")}\n`;
}

/** The keys within the value of another key. */
function queryTable(name: string, query: ConfigSchema): string[] {
  const rows = Object.entries(query.keys).map(([key, { form, defaultText = "", help }]) =>
    tableLine([`\`${key}\``, form, defaultText, help]),
  );
  return [
    "",
    `Keys of the query of a \`${name}\` URL:`,
    "",
    "| Key | Value | Default | Meaning |",
    "| --- | --- | --- | --- |",
    ...rows,
    ...exclusions(query),
  ];
}

function tableRow(key: string, { form, defaultText, required, origin, help, secret, ignored }: ConfigKey): string {
  const defaultCell = required ? "required" : (defaultText ?? "");
  const meaning = [
    help,
    ...(ignored === undefined ? [] : [`Accepted without effect: ${ignored}.`]),
    ...(secret ? ["Never printed."] : []),
  ];
  const cells = [`\`${key}\``, form, defaultCell, origin, meaning.join(" ")];
  return tableLine(cells);
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.map(escapeCell).join(" | ")} |`;
}

function exclusions({ exclusive = [] }: ConfigSchema): string[] {
  return exclusive.flatMap((group) => [
    "",
    `At most one of ${group.map((key) => `\`${key}\``).join(", ")} may be set.`,
  ]);
}

function escapeCell(text: string): string {
  return text.replaceAll("|", String.raw`\|`).replaceAll("\n", " ");
}
