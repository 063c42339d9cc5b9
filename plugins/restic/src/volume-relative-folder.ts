/**
 * A folder below the volume root: its names joined by slashes, without `.`, `..` and empty ones. Throws an Error that
 * says what is wrong with the text; what the text stands for is the caller's to add.
 */
export function relativeFolder(text: string): string {
  const names = text.split("/").filter((name) => name !== "" && name !== ".");
  if (names.length === 0) throw new Error("it names the volume root itself, and a volume is a folder below it");
  if (names.includes("..")) throw new Error('it holds "..", which could lead out of the volume root');
  if (hasControlCharacter(text)) throw new Error("it holds a control character");
  return names.join("/");
}

/** Whether a text holds what no path of a volume has and what would garble a log line. */
export function hasControlCharacter(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u001F\u007F]/.test(text);
}
