import { readFile } from "node:fs/promises";

/** The folders below this one, by their names from there, on which other file systems are mounted; none where unknown. */
export async function nestedMounts(folder: string): Promise<readonly string[]> {
  const table = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  const places = table.split("\n").map((line) => withoutEscapes(line.split(" ")[4] ?? ""));
  const start = `${folder}/`;
  return [...new Set(places.filter((place) => place.startsWith(start)))].map((place) => place.slice(start.length));
}

/** The kernel writes spaces and the like as three octal digits. */
function withoutEscapes(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
