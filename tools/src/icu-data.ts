const magic = Buffer.from([0xda, 0x27]);
const dataFormat = Buffer.from("CmnD");
const alignment = 16;
const entryBytes = 8;

/** Locales whose texts stay: what ICU falls back to, and the English that error messages are made in. */
const keptLocales = new Set(["root", "en", "en_US", "en_US_POSIX"]);

/** Indexes, and tables of zones, numbers and calendars that every locale needs. */
const sharedTables =
  /^(pool|res_index|supplementalData|metaZones|timezoneTypes|windowsZones|zoneinfo64|numberingSystems|likelySubtags|plurals|pluralRanges|genderList|dayPeriods|keyTypeData|icuver|icustd|units|langInfo|currencyNumericCodes|metadata|tzdbNames)$/;

/** An executable whose ICU data was trimmed, and what that freed. */
export interface TrimmedExecutable {
  readonly executable: Buffer;
  /** Of the data; they are zero now, so that they compress to nothing. */
  readonly freedBytes: number;
}

/**
 * A copy of Node's executable whose ICU data holds English and what no locale can do without. The data is a third of
 * what a compressed image of ours would be, and a plugin speaks to servers, in ASCII. ICU finds what is left out
 * missing and falls back to its root, as it does for a locale that it never had. Sizes and offsets stay: what is mapped
 * at run time does not move.
 *
 * The format is that of ICU's common data (udata.h, ucmndata.h): a header, then a table of contents, sorted by name.
 */
export function trimIcuData(executable: Buffer): TrimmedExecutable {
  const copy = Buffer.from(executable);
  const table = findTable(copy);
  const entries = readEntries(copy, table);
  const kept = entries.filter(({ name }) => isKept(name));
  let freedBytes = 0;
  for (const [index, entry] of entries.entries()) {
    // The last one's end is not recorded.
    const end = entries[index + 1]?.data;
    if (end === undefined || isKept(entry.name)) continue;
    copy.fill(0, table + entry.data, table + end);
    freedBytes += end - entry.data;
  }
  const last = entries.at(-1);
  if (last !== undefined && !kept.includes(last)) kept.push(last);
  writeEntries(copy, table, kept, entries.length);
  return { executable: copy, freedBytes };
}

interface Entry {
  readonly name: string;
  /** From the table's start. */
  readonly nameOffset: number;
  readonly data: number;
}

function findTable(executable: Buffer): number {
  for (let at = executable.indexOf(magic); at !== -1; at = executable.indexOf(magic, at + 1)) {
    const start = at - 2;
    const isData = start % alignment === 0 && executable.subarray(start + 12, start + 16).equals(dataFormat);
    if (isData) return start + executable.readUInt16LE(start);
  }
  throw new Error("the executable holds no ICU data: Node was built without it or in another form");
}

function readEntries(executable: Buffer, table: number): Entry[] {
  return Array.from({ length: executable.readUInt32LE(table) }, (_, index) => {
    const at = table + 4 + index * entryBytes;
    const nameOffset = executable.readUInt32LE(at);
    const name = executable.toString("latin1", table + nameOffset, executable.indexOf(0, table + nameOffset));
    return { name, nameOffset, data: executable.readUInt32LE(at + 4) };
  });
}

function writeEntries(executable: Buffer, table: number, kept: readonly Entry[], former: number): void {
  executable.writeUInt32LE(kept.length, table);
  for (const [index, { nameOffset, data }] of kept.entries()) {
    const at = table + 4 + index * entryBytes;
    executable.writeUInt32LE(nameOffset, at);
    executable.writeUInt32LE(data, at + 4);
  }
  executable.fill(0, table + 4 + kept.length * entryBytes, table + 4 + former * entryBytes);
}

// Character sets other than Unicode's and Latin-1, which ICU and Node know without a table; dictionaries that split Thai,
// Chinese and Japanese words; host names in other scripts as of 2003; characters that look alike.
const droppedKinds = new Set(["cnv", "dict", "spp", "cfu"]);

// Rules for breaking lines and for transliteration, which JavaScript has no call for; the names of characters.
const droppedItems = /^(translit\/.*|brkitr\/line.*\.brk|unames\.icu)$/;

/** `icudt78l/zone/de.res`: the package's name, perhaps a tree, an item with its kind. */
function isKept(name: string): boolean {
  const item = name.slice(name.indexOf("/") + 1);
  const [base, kind] = /([^/]+)\.(\w+)$/.exec(item)?.slice(1) ?? [];
  if (base === undefined || kind === undefined) return true;
  if (droppedItems.test(item) || droppedKinds.has(kind)) return false;
  return kind !== "res" || keptLocales.has(base) || sharedTables.test(base);
}
