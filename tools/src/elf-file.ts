/** Where the kernel or the loader finds a part of the file, and where it maps it. */
export interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
}

/** One entry of the dynamic section. */
export interface DynamicEntry {
  readonly tag: number;
  readonly value: number;
  /** Where the entry itself lies in the file. */
  readonly offset: number;
}

/** The parts of a 64-bit little-endian ELF executable that the build reads or changes. */
export interface ElfFile {
  readonly bytes: Buffer;
  readonly architecture: "x64" | "arm64";
  readonly segments: readonly Segment[];
  /** Without the terminating null entries. */
  readonly dynamic: readonly DynamicEntry[];
}

/** Types of segments. */
export const segmentType = { load: 1, dynamic: 2, interpreter: 3 } as const;

/** Tags of dynamic entries. */
export const dynamicTag = {
  end: 0,
  needed: 1,
  stringTable: 5,
  symbolTable: 6,
  stringTableSize: 10,
  runPathBeforeEnvironment: 15,
  runPath: 29,
  flags: 30,
  flags1: 0x6ffffffb,
  versionNeeds: 0x6ffffffe,
  versionNeedsCount: 0x6fffffff,
} as const;

/** Size of one dynamic entry. */
export const dynamicEntryBytes = 16;

const architectures: Readonly<Record<number, ElfFile["architecture"]>> = { 62: "x64", 183: "arm64" };

/** Reads an executable's headers. Throws for anything but a 64-bit little-endian ELF file of a known machine. */
export function readElf(bytes: Buffer): ElfFile {
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46) throw new Error("not an ELF file");
  if (bytes[4] !== 2 || bytes[5] !== 1) throw new Error("not a 64-bit little-endian ELF file");
  const machine = bytes.readUInt16LE(18);
  const architecture = architectures[machine];
  if (architecture === undefined) throw new Error(`unknown ELF machine ${machine}`);
  const segments = readSegments(bytes);
  return { bytes, architecture, segments, dynamic: readDynamic(bytes, segments) };
}

/** Where an address of the running program lies in the file. */
export function fileOffset(elf: ElfFile, address: number): number {
  const segment = elf.segments.find(
    (candidate) =>
      candidate.type === segmentType.load &&
      address >= candidate.address &&
      address < candidate.address + candidate.fileBytes,
  );
  if (segment === undefined) throw new Error(`address 0x${address.toString(16)} is in no loaded segment`);
  return address - segment.address + segment.offset;
}

/** The value of a dynamic entry, or undefined. */
export function dynamicValue(elf: ElfFile, tag: number): number | undefined {
  return elf.dynamic.find((entry) => entry.tag === tag)?.value;
}

/** The value of a dynamic entry that every dynamically linked executable has. */
export function requiredDynamicValue(elf: ElfFile, tag: number): number {
  const value = dynamicValue(elf, tag);
  if (value === undefined) throw new Error(`the dynamic section has no entry 0x${tag.toString(16)}`);
  return value;
}

/** A string of the dynamic string table. */
export function dynamicString(elf: ElfFile, index: number): string {
  const start = fileOffset(elf, requiredDynamicValue(elf, dynamicTag.stringTable)) + index;
  return elf.bytes.toString("latin1", start, elf.bytes.indexOf(0, start));
}

/** The shared libraries that the executable names. */
export function neededLibraries(elf: ElfFile): string[] {
  return elf.dynamic.filter((entry) => entry.tag === dynamicTag.needed).map((entry) => dynamicString(elf, entry.value));
}

/** Reads a 64-bit field; every offset and size of a real file fits a double. */
export function readWord(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset));
}

function readSegments(bytes: Buffer): Segment[] {
  const start = readWord(bytes, 32);
  const size = bytes.readUInt16LE(54);
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const at = start + index * size;
    return {
      type: bytes.readUInt32LE(at),
      offset: readWord(bytes, at + 8),
      address: readWord(bytes, at + 16),
      fileBytes: readWord(bytes, at + 32),
    };
  });
}

function readDynamic(bytes: Buffer, segments: readonly Segment[]): DynamicEntry[] {
  const segment = segments.find((candidate) => candidate.type === segmentType.dynamic);
  const entries: DynamicEntry[] = [];
  for (let read = 0; read < (segment?.fileBytes ?? 0); read += dynamicEntryBytes) {
    const offset = (segment?.offset ?? 0) + read;
    const tag = readWord(bytes, offset);
    if (tag === dynamicTag.end) break;
    entries.push({ tag, value: readWord(bytes, offset + 8), offset });
  }
  return entries;
}
