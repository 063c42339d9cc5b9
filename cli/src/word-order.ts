const nouns = new Map([
  ["backup", "backup"],
  ["backups", "backup"],
  ["volume", "volume"],
  ["volumes", "volume"],
  ["snapshot", "volume"],
  ["snapshots", "volume"],
  ["plugin", "plugin"],
  ["plugins", "plugin"],
]);

/**
 * Puts the noun first: `list backups` and `backup list` are one command. Only the first two words are looked at, so a
 * backup that is called `list` stays what it is. `help` before them asks of both orders what `--help` behind them does.
 */
export function nounFirst(words: readonly string[]): readonly string[] {
  const [first = "", second = "", ...rest] = words;
  if (first === "help" && second !== "") return [...nounFirst(words.slice(1)), "--help"];
  const leading = nouns.get(first);
  const following = nouns.get(second);
  // `snapshot volume` is a verb and its noun, although the first word is a noun elsewhere.
  if (following !== undefined && (leading === undefined || first === "snapshot")) return [following, first, ...rest];
  return leading === undefined ? words : [leading, ...words.slice(1)];
}
