import { dynamicString, dynamicTag, dynamicValue, fileOffset, readElf, requiredDynamicValue } from "./elf-file.ts";
import { versionNeeds } from "./elf-version-needs.ts";
import type { ElfFile } from "./elf-file.ts";

const symbolBytes = 24;
const bindNow = 8n;
const flags1Now = 1;

/**
 * A copy of the executable that looks for its libraries in `runPath` before anywhere else. Nothing moves: the entry and
 * its text take the room of something redundant, so the file works whatever else was done to its layout.
 *
 * It is DT_RPATH, not DT_RUNPATH, since the server sets LD_LIBRARY_PATH to a folder that all plugins share, and the
 * libraries of another plugin must not come first.
 */
export function withRunPath(executable: Buffer, runPath: string): Buffer {
  const bytes = Buffer.from(executable);
  const elf = readElf(bytes);
  const entry = redundantEntry(elf);
  const text = roomForText(elf, runPath);
  bytes.write(`${runPath}\0`, text.offset, "latin1");
  bytes.writeBigUInt64LE(BigInt(dynamicTag.runPathBeforeEnvironment), entry);
  bytes.writeBigUInt64LE(BigInt(text.index), entry + 8);
  return bytes;
}

/** Where the executable looks for its libraries first, or undefined. */
export function readRunPath(elf: ElfFile): string | undefined {
  const index = dynamicValue(elf, dynamicTag.runPathBeforeEnvironment) ?? dynamicValue(elf, dynamicTag.runPath);
  return index === undefined ? undefined : dynamicString(elf, index);
}

// "Bind now" is said twice, in FLAGS and in FLAGS_1; the loader heeds either. Proved by starting the result.
function redundantEntry(elf: ElfFile): number {
  if (readRunPath(elf) !== undefined) throw new Error("the executable already has a run path");
  const entry = elf.dynamic.find(({ tag }) => tag === dynamicTag.flags);
  const flags1 = dynamicValue(elf, dynamicTag.flags1) ?? 0;
  if (entry === undefined || BigInt(entry.value) !== bindNow || (flags1 & flags1Now) === 0)
    throw new Error("the dynamic section has no entry that can be spared for a run path");
  return entry.offset;
}

/**
 * The text takes the place of the longest name among the exported internals of V8. The loader never asks for it: only
 * native addons could, and a single executable loads none. Names share tails in this table, so the place must not hold
 * the start of another name.
 */
function roomForText(elf: ElfFile, text: string): { readonly index: number; readonly offset: number } {
  const strings = fileOffset(elf, requiredDynamicValue(elf, dynamicTag.stringTable));
  const starts = usedStrings(elf).sort((a, b) => a.index - b.index);
  let best: { readonly index: number; readonly length: number } | undefined;
  for (const [position, { index, isDefined }] of starts.entries()) {
    const length = elf.bytes.indexOf(0, strings + index) - strings - index;
    if (!isDefined || length <= (best?.length ?? text.length - 1)) continue;
    const next = starts[position + 1]?.index ?? Number.POSITIVE_INFINITY;
    if (starts[position - 1]?.index === index || next <= index + length) continue;
    if (elf.bytes.toString("latin1", strings + index, strings + index + 6) === "_ZN2v8") best = { index, length };
  }
  if (best === undefined) throw new Error(`no exported name can make room for the run path ${text}`);
  return { index: best.index, offset: strings + best.index };
}

interface UsedString {
  readonly index: number;
  readonly isDefined: boolean;
}

function usedStrings(elf: ElfFile): UsedString[] {
  const start = fileOffset(elf, requiredDynamicValue(elf, dynamicTag.symbolTable));
  const end = fileOffset(elf, requiredDynamicValue(elf, dynamicTag.stringTable));
  // The symbol table has no length of its own; linkers put the string table right behind it.
  if (end <= start) throw new Error("the string table does not follow the symbol table");
  const used: UsedString[] = [];
  for (let at = start; at + symbolBytes <= end; at += symbolBytes)
    used.push({ index: elf.bytes.readUInt32LE(at), isDefined: elf.bytes.readUInt16LE(at + 6) !== 0 });
  const needed = elf.dynamic.filter(({ tag }) => tag === dynamicTag.needed);
  return [...used, ...needed.map(({ value }) => ({ index: value, isDefined: false })), ...versionStrings(elf)];
}

function versionStrings(elf: ElfFile): UsedString[] {
  return versionNeeds(elf).flatMap(({ fileIndex, versionIndexes }) =>
    [fileIndex, ...versionIndexes].map((index) => ({ index, isDefined: false })),
  );
}
