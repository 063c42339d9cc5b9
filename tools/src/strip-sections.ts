import { readElf, readWord, segmentType } from "./elf-file.ts";

const sectionBytes = 64;
const allocated = 2n;
const withoutContent = 8;
const stringTableType = 3;

/**
 * A copy of the executable without symbols and debugging data, as strip(1) leaves it: nothing that is mapped at run time
 * moves, everything behind it goes, and the sections that are mapped keep their headers. Must come before anything is
 * injected, since what is injected lies behind.
 */
export function stripSections(executable: Buffer): Buffer {
  const { segments } = readElf(executable);
  const mapped = segments.filter(({ type }) => type === segmentType.load);
  const end = Math.max(...mapped.map(({ offset, fileBytes }) => offset + fileBytes));
  const kept = readSections(executable).filter(
    ({ header, type, offset, size }) =>
      type === 0 ||
      ((header.readBigUInt64LE(8) & allocated) !== 0n && (type === withoutContent || offset + size <= end)),
  );
  const names = Buffer.from(`${kept.map(({ name }) => name).join("\0")}\0.shstrtab\0`, "latin1");
  const headers = renumbered(kept, nameTable(names, end));
  const padding = Buffer.alloc((8 - ((end + names.length) % 8)) % 8);
  const fileHeader = Buffer.from(executable.subarray(0, 64));
  fileHeader.writeBigUInt64LE(BigInt(end + names.length + padding.length), 40);
  fileHeader.writeUInt16LE(headers.length, 60);
  fileHeader.writeUInt16LE(headers.length - 1, 62);
  return Buffer.concat([fileHeader, executable.subarray(64, end), names, padding, ...headers]);
}

interface Section {
  readonly header: Buffer;
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

function readSections(executable: Buffer): Section[] {
  const start = readWord(executable, 40);
  const count = executable.readUInt16LE(60);
  const namesHeader = start + executable.readUInt16LE(62) * sectionBytes;
  const names = readWord(executable, namesHeader + 24);
  return Array.from({ length: count }, (_, index) => {
    const header = executable.subarray(start + index * sectionBytes, start + (index + 1) * sectionBytes);
    const name = names + header.readUInt32LE(0);
    return {
      header,
      index,
      name: executable.toString("latin1", name, executable.indexOf(0, name)),
      type: header.readUInt32LE(4),
      offset: readWord(header, 24),
      size: readWord(header, 32),
    };
  });
}

function nameTable(names: Buffer, offset: number): Section {
  const header = Buffer.alloc(sectionBytes);
  header.writeUInt32LE(stringTableType, 4);
  header.writeBigUInt64LE(BigInt(offset), 24);
  header.writeBigUInt64LE(BigInt(names.length), 32);
  header.writeBigUInt64LE(1n, 48);
  return { header, index: -1, name: ".shstrtab", type: stringTableType, offset, size: names.length };
}

// Names, and the links between sections, are numbers that change when sections go.
function renumbered(kept: readonly Section[], names: Section): Buffer[] {
  const position = new Map(kept.map(({ index }, at) => [index, at]));
  let nameOffset = 0;
  return [...kept, names].map(({ header, name }) => {
    const copy = Buffer.from(header);
    copy.writeUInt32LE(nameOffset, 0);
    nameOffset += name.length + 1;
    for (const field of [40, 44]) {
      const isLink = field === 40 || (header.readBigUInt64LE(8) & 0x40n) !== 0n;
      if (isLink) copy.writeUInt32LE(position.get(header.readUInt32LE(field)) ?? 0, field);
    }
    return copy;
  });
}
