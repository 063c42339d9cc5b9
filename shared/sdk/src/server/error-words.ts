// The server decides by text: an error of GetObject that contains one of these words, in any case, means "the backup's
// contents are gone", and a deletion then skips its DeleteItemActions and succeeds. Go lower-cases the Kelvin sign and the
// dotted capital I into ASCII; the u flag covers the first, the class below the second.
const absenceWords: readonly (readonly [RegExp, string])[] = [
  [/not found/giu, "missing"],
  [/does not ex[iİ]st/giu, "is missing"],
  [/nosuchkey/giu, "no such key"],
  [/blobnotfound/giu, "missing blob"],
  [/objectnotex[iİ]st/giu, "missing object"],
];

/** Whether the server would take this text for "the object is absent". */
function saysAbsent(text: string): boolean {
  return reword(text) !== text;
}

/** The text with the words that mean absence to the server replaced by others of the same meaning. */
export function withoutAbsenceWords(text: string): string {
  let reworded = text;
  for (let next = reword(reworded); next !== reworded; next = reword(reworded)) reworded = next;
  return reworded;
}

/** The text, which the server shall take for "the object is absent". */
export function withAbsenceWords(text: string): string {
  return saysAbsent(text) ? text : `${text}: not found`;
}

function reword(text: string): string {
  return absenceWords.reduce((reworded, [pattern, replacement]) => reworded.replace(pattern, replacement), text);
}
